package kiosk_test

import (
	"encoding/base64"

	"tilld/display"
	"tilld/internal/qr"
)

func encoded(s *qr.Symbol) string { return base64.StdEncoding.EncodeToString(s.Pack()) }

func nothing(display.Shown) {}

func lines() []display.Line {
	return []display.Line{
		{Left: "Круассан с миндалём", Right: "180,00"}, {Left: "Пакет бумажный", Right: "7,00"}, {Left: "Капучино 0,3", Right: "125,50"},
	}
}

func choices() []display.Choice {
	return []display.Choice{{ID: "sbp", Name: "СБП"}, {ID: "alipay", Name: "Alipay"}, {ID: "wechat", Name: "WeChat Pay"}, {ID: "sber", Name: "SberPay"}}
}
