package kiosk_test

import (
	"encoding/base64"

	"tilld/display"
	"tilld/internal/qr"
	"tilld/internal/stage"
	"tilld/payment"
)

func encoded(s *qr.Symbol) string { return base64.StdEncoding.EncodeToString(s.Pack()) }

func nothing(display.Shown) {}

// cafe is what a shop says in its own words: none of it is the page's, so it is written in the language of its customers.
type cafe struct {
	name        string
	title, text string // of a message
	goods       [3]string
	scheme      string // the first of the ways to pay; the others are brands
}

// cafes by language.
var cafes = map[string]cafe{
	"en": {
		"Grain Coffee House", "Back soon", "This till opens at 15:30. The other one is open.",
		[3]string{"Almond croissant", "Paper bag", "Cappuccino 0.3"},
		"SBP",
	},
	"ru": {
		"Кофейня «Зерно»", "Скоро вернёмся", "Касса откроется в 15:30. Вторая касса работает.",
		[3]string{"Круассан с миндалём", "Пакет бумажный", "Капучино 0,3"},
		"СБП",
	},
}

func (c cafe) lines() []stage.Goods {
	rub := func(n int64) payment.Money { return payment.Money{Value: n, Currency: "RUB"} }
	return []stage.Goods{{Name: c.goods[0], Amount: rub(3500)}, {Name: c.goods[1], Amount: rub(700)}, {Name: c.goods[2], Amount: rub(8350)}}
}

func (c cafe) choices() []display.Choice {
	return []display.Choice{{ID: "sbp", Name: c.scheme}, {ID: "alipay", Name: "Alipay"}, {ID: "wechat", Name: "WeChat Pay"}, {ID: "sber", Name: "SberPay"}}
}
