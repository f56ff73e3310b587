package jsonrpc

import (
	"math"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func TestBuild(t *testing.T) {
	type data struct {
		Reason string `json:"reason"`
	}
	for _, tc := range []struct {
		got  []byte
		want string
	}{
		{NewRequest(7, "tools/list", nil), `{"jsonrpc":"2.0","id":7,"method":"tools/list"}`},
		{NewRequest(7, "a", jsontext.Value(` {"n": 1.00} `)), `{"jsonrpc":"2.0","id":7,"method":"a","params":{"n": 1.00}}`},
		{NewRequest(7, "a", map[string]any{"b": 1, "a": "x"}), `{"jsonrpc":"2.0","id":7,"method":"a","params":{"a":"x","b":1}}`},
		{NewNotification("n", nil), `{"jsonrpc":"2.0","method":"n"}`},
		{NewNotification("n", jsontext.Value(nil)), `{"jsonrpc":"2.0","method":"n"}`},
		{NewResult(jsontext.Value(`"x"`), nil), `{"jsonrpc":"2.0","id":"x","result":{}}`},
		{NewResult(jsontext.Value(`1`), jsontext.Value(`{"a":1}`)), `{"jsonrpc":"2.0","id":1,"result":{"a":1}}`},
		{NewError(nil, -31403, "blocked", data{"drift"}), `{"jsonrpc":"2.0","id":null,"error":{"code":-31403,"message":"blocked","data":{"reason":"drift"}}}`},
		{NewError(jsontext.Value(`1`), -32700, "bad\xffbytes", nil), `{"jsonrpc":"2.0","id":1,"error":{"code":-32700,"message":"bad` + "\uFFFD" + `bytes"}}`},
		{NewError(jsontext.Value(`1`), -1, "m", data{"a\xff"}), `{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"m","data":{"reason":"a` + "\uFFFD" + `"}}}`},
		{NewError(jsontext.Value(`1`), -1, "m", math.NaN()), `{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"m"}}`},
		{NewResult(jsontext.Value(`1`), math.NaN()), `{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"the result could not be encoded"}}`},
		{NewResult(jsontext.Value(`1`), jsontext.Value(`{"a":`)), `{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"the result could not be encoded"}}`},
	} {
		if string(tc.got) != tc.want {
			t.Errorf("got  %s\nwant %s", tc.got, tc.want)
		}
		if _, err := Parse(tc.got, Limits{}); err != nil {
			t.Errorf("%s: %v", tc.got, err)
		}
	}
}
