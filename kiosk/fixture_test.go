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

func lines() []stage.Goods {
	rub := func(n int64) payment.Money { return payment.Money{Value: n, Currency: "RUB"} }
	return []stage.Goods{{Name: "Круассан с миндалём", Amount: rub(3500)}, {Name: "Пакет бумажный", Amount: rub(700)}, {Name: "Капучино 0,3", Amount: rub(8350)}}
}

func choices() []display.Choice {
	return []display.Choice{{ID: "sbp", Name: "СБП"}, {ID: "alipay", Name: "Alipay"}, {ID: "wechat", Name: "WeChat Pay"}, {ID: "sber", Name: "SberPay"}}
}
