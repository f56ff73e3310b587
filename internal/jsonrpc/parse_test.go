package jsonrpc

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func TestParseAccepts(t *testing.T) {
	for _, tc := range []struct {
		in, id, method, params, result, err string
		kind                                Kind
	}{
		{in: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}`, kind: Request, id: `1`, method: "tools/call", params: `{"name":"a"}`},
		{in: " \r\n\t" + `{ "method" : "ping" , "jsonrpc":"2.0","id" : "x\u0041" }` + "\n", kind: Request, id: `"x\u0041"`, method: "ping"},
		{in: `{"jsonrpc":"2.0","method":"tools\/list"}`, kind: Notification, method: "tools/list"},
		{in: `{"jsonrpc":"2\u002e0","method":"n"}`, kind: Notification, method: "n"},
		{in: `{"jsonrpc":"2.0","id":-9007199254740991,"result":{"a":[1,2.50,1e400]}}`, kind: Response, id: `-9007199254740991`, result: `{"a":[1,2.50,1e400]}`},
		{in: `{"jsonrpc":"2.0","id":"","result":null}`, kind: Response, id: `""`, result: `null`},
		{in: `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"parse"}}`, kind: Response, id: `null`, err: `{"code":-32700,"message":"parse"}`},
		{in: `{"jsonrpc":"2.0","error":{"code":-32600,"message":"","data":{"Code":1}}}`, kind: Response, err: `{"code":-32600,"message":"","data":{"Code":1}}`},
		{in: `{"jsonrpc":"2.0","method":"x","params":{"q":1,"Q":2,"Method":"fine below the envelope"}}`, kind: Notification, method: "x", params: `{"q":1,"Q":2,"Method":"fine below the envelope"}`},
		{in: `{"jsonrpc":"2.0","method":"x","params":{"s":"\ud83d\ude00 \u0000"}}`, kind: Notification, method: "x", params: `{"s":"\ud83d\ude00 \u0000"}`},
	} {
		m, err := Parse([]byte(tc.in), DefaultLimits)
		if err != nil {
			t.Errorf("%s: %v", tc.in, err)
			continue
		}
		got := [...]string{string(m.ID), m.Method, string(m.Params), string(m.Result), string(m.Error)}
		want := [...]string{tc.id, tc.method, tc.params, tc.result, tc.err}
		if got != want || m.Kind != tc.kind {
			t.Errorf("%s:\n got %v %q\nwant %v %q", tc.in, m.Kind, got, tc.kind, want)
		}
		if string(m.Raw) != strings.Trim(tc.in, " \r\n\t") {
			t.Errorf("Raw = %q", m.Raw)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	const call = `{"jsonrpc":"2.0","id":1,"method":"m"`
	for name, tc := range map[string]struct {
		in   string
		want error
	}{
		"empty":                      {"", ErrMalformed},
		"white space":                {" \n", ErrMalformed},
		"not an object":              {`"x"`, ErrMalformed},
		"literal":                    {`null`, ErrMalformed},
		"byte order mark":            {"\uFEFF" + call + `}`, ErrMalformed},
		"no-break space around":      {"\u00a0" + call + `}`, ErrMalformed},
		"NUL after":                  {call + "}\x00", ErrMalformed},
		"NUL in a string":            {call + ",\"params\":{\"a\":\"\x00\"}}", ErrMalformed},
		"raw newline in a string":    {call + ",\"params\":{\"a\":\"\n\"}}", ErrMalformed},
		"batch":                      {`[` + call + `}]`, ErrBatch},
		"empty batch":                {` []`, ErrBatch},
		"two messages":               {call + `}` + call + `}`, ErrMalformed},
		"trailing comma":             {call + `,}`, ErrMalformed},
		"comment":                    {call + `/**/}`, ErrMalformed},
		"truncated":                  {call, ErrMalformed},
		"stray close":                {call + `}}`, ErrMalformed},
		"single quotes":              {`{'jsonrpc':'2.0','method':'m'}`, ErrMalformed},
		"NaN":                        {call + `,"params":{"a":NaN}}`, ErrMalformed},
		"leading zero":               {call + `,"params":{"a":01}}`, ErrMalformed},
		"hex number":                 {call + `,"params":{"a":0x1}}`, ErrMalformed},
		"invalid UTF-8":              {call + ",\"params\":{\"a\":\"\xff\"}}", ErrMalformed},
		"overlong UTF-8":             {call + ",\"params\":{\"a\":\"\xc0\xaf\"}}", ErrMalformed},
		"UTF-8 surrogate":            {call + ",\"params\":{\"a\":\"\xed\xa0\x80\"}}", ErrMalformed},
		"invalid UTF-8 in a key":     {call + ",\"params\":{\"\xff\":1}}", ErrMalformed},
		"lone high surrogate":        {call + `,"params":{"a":"\ud800"}}`, ErrMalformed},
		"lone low surrogate":         {call + `,"params":{"a":"\udc00x"}}`, ErrMalformed},
		"swapped surrogates":         {call + `,"params":{"a":"\udc00\ud800"}}`, ErrMalformed},
		"lone surrogate in a key":    {call + `,"params":{"\ud800":1}}`, ErrMalformed},
		"duplicate envelope key":     {call + `,"method":"n"}`, ErrAmbiguous},
		"duplicate, escaped":         {call + `,"m\u0065thod":"n"}`, ErrAmbiguous},
		"duplicate in params":        {call + `,"params":{"name":"a","name":"b"}}`, ErrAmbiguous},
		"duplicate, escaped, deep":   {call + `,"params":{"a":[{"b":{"k":1,"\u006b":2}}]}}`, ErrAmbiguous},
		"duplicate in an error":      {`{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"","data":{"a":1,"a":1}}}`, ErrAmbiguous},
		"Method beside method":       {call + `,"Method":"n"}`, ErrAmbiguous},
		"METHOD alone":               {`{"jsonrpc":"2.0","METHOD":"m"}`, ErrAmbiguous},
		"long s":                     {call + `,"param\u017f":{}}`, ErrAmbiguous},
		"Id":                         {call + `,"Id":2}`, ErrAmbiguous},
		"Result":                     {`{"jsonrpc":"2.0","id":1,"Result":{},"result":{}}`, ErrAmbiguous},
		"Code in an error":           {`{"jsonrpc":"2.0","id":1,"error":{"code":1,"Code":2,"message":""}}`, ErrAmbiguous},
		"unknown envelope member":    {call + `,"extra":1}`, ErrMalformed},
		"no version":                 {`{"id":1,"method":"m"}`, ErrMalformed},
		"other version":              {`{"jsonrpc":"1.0","id":1,"method":"m"}`, ErrMalformed},
		"number version":             {`{"jsonrpc":2.0,"id":1,"method":"m"}`, ErrMalformed},
		"neither call nor response":  {`{"jsonrpc":"2.0","id":1}`, ErrMalformed},
		"call with result":           {call + `,"result":{}}`, ErrMalformed},
		"result with error":          {`{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}}`, ErrMalformed},
		"response with params":       {`{"jsonrpc":"2.0","id":1,"result":{},"params":{}}`, ErrMalformed},
		"result without id":          {`{"jsonrpc":"2.0","result":{}}`, ErrMalformed},
		"result with null id":        {`{"jsonrpc":"2.0","id":null,"result":{}}`, ErrMalformed},
		"request with null id":       {`{"jsonrpc":"2.0","id":null,"method":"m"}`, ErrMalformed},
		"fractional id":              {`{"jsonrpc":"2.0","id":1.0,"method":"m"}`, ErrMalformed},
		"exponent id":                {`{"jsonrpc":"2.0","id":1e2,"method":"m"}`, ErrMalformed},
		"negative zero id":           {`{"jsonrpc":"2.0","id":-0,"method":"m"}`, ErrMalformed},
		"id that peers round":        {`{"jsonrpc":"2.0","id":9007199254740993,"method":"m"}`, ErrMalformed},
		"object id":                  {`{"jsonrpc":"2.0","id":{},"method":"m"}`, ErrMalformed},
		"long id":                    {`{"jsonrpc":"2.0","id":"` + strings.Repeat("x", 2000) + `","method":"m"}`, ErrMalformed},
		"number method":              {`{"jsonrpc":"2.0","id":1,"method":1}`, ErrMalformed},
		"empty method":               {`{"jsonrpc":"2.0","id":1,"method":""}`, ErrMalformed},
		"NUL in the method":          {`{"jsonrpc":"2.0","id":1,"method":"tools/call\u0000x"}`, ErrMalformed},
		"newline in the method":      {`{"jsonrpc":"2.0","id":1,"method":"a\nb"}`, ErrMalformed},
		"non-ASCII method":           {`{"jsonrpc":"2.0","id":1,"method":"tооls/call"}`, ErrMalformed},
		"long method":                {`{"jsonrpc":"2.0","id":1,"method":"` + strings.Repeat("m", 257) + `"}`, ErrMalformed},
		"array params":               {call + `,"params":[1]}`, ErrMalformed},
		"null params":                {call + `,"params":null}`, ErrMalformed},
		"error is a string":          {`{"jsonrpc":"2.0","id":1,"error":"no"}`, ErrMalformed},
		"error without code":         {`{"jsonrpc":"2.0","id":1,"error":{"message":"no"}}`, ErrMalformed},
		"error with fractional code": {`{"jsonrpc":"2.0","id":1,"error":{"code":1.5,"message":"no"}}`, ErrMalformed},
		"error without message":      {`{"jsonrpc":"2.0","id":1,"error":{"code":1}}`, ErrMalformed},
		"too deep":                   {call + `,"params":{"a":` + strings.Repeat("[", 127) + strings.Repeat("]", 127) + `}}`, ErrTooDeep},
		"bomb of brackets":           {strings.Repeat(`{"a":`, 1_000_000), ErrTooDeep},
	} {
		m, err := Parse([]byte(tc.in), Limits{})
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: Parse = %+v, %v; want %v", name, m, err, tc.want)
		}
	}
}

func TestParseLimits(t *testing.T) {
	in := []byte(`{"jsonrpc":"2.0","method":"m","params":{"a":"]]]{{{\"[[["}}`)
	if _, err := Parse(in, Limits{Bytes: len(in), Depth: 2}); err != nil {
		t.Errorf("exactly at the limits: %v", err)
	}
	if _, err := Parse(in, Limits{Bytes: len(in) - 1}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("one byte over: %v", err)
	}
	if _, err := Parse(in, Limits{Depth: 1}); !errors.Is(err, ErrTooDeep) {
		t.Errorf("one level over: %v", err)
	}
}

// An error must not carry the secret that stood in the message.
func TestErrorsQuoteNothing(t *testing.T) {
	for _, in := range []string{
		`{"jsonrpc":"2.0","method":"m","params":{"s3cret":1,"s3cret":2}}`,
		`{"jsonrpc":"2.0","method":"m","params":{"s3cret":s3cret}}`,
		`{"jsonrpc":"2.0","s3cret":1}`,
		`{"jsonrpc":"2.0","method":"s3cret\u0000"}`,
		`{"jsonrpc":"2.0","method":"m","id":"s3cret`,
	} {
		if _, err := Parse([]byte(in), Limits{}); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func TestCheckNames(t *testing.T) {
	for in, want := range map[string]error{
		`{"name":"a","arguments":{"NAME":1}}`: nil,
		`{"name":"a","NAME":"b"}`:             ErrAmbiguous,
		`{"Name":"a"}`:                        ErrAmbiguous,
		`{"argument\u017f":{}}`:               ErrAmbiguous,
		`[]`:                                  ErrMalformed,
		`{"name":1`:                           ErrMalformed,
	} {
		if err := CheckNames([]byte(in), "name", "arguments"); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", in, err, want)
		}
	}
}

func TestIDKeyAndCode(t *testing.T) {
	key := func(id string) string {
		m, err := Parse([]byte(`{"jsonrpc":"2.0","id":`+id+`,"method":"m"}`), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		return m.IDKey()
	}
	if key(`"a\/b"`) != key(`"a/b"`) {
		t.Error("one id, two spellings")
	}
	if key(`1`) == key(`"1"`) {
		t.Error("a number is not its text")
	}
	if (&Message{}).IDKey() != "" {
		t.Error("no id, no key")
	}
	m, err := Parse([]byte(`{"jsonrpc":"2.0","id":1,"error":{"message":"","code":-32601}}`), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if code, ok := m.Code(); !ok || code != -32601 {
		t.Errorf("Code = %d, %v", code, ok)
	}
	if _, ok := (&Message{}).Code(); ok {
		t.Error("a code without an error")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"q":"\ud83d\ude00"}}}`,
		`{"jsonrpc":"2.0","id":"x","result":{"content":[{"type":"text","text":"hi"}]}}`,
		`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}`,
		` [ ] `, `{"a":1,"\u0061":2}`, `{"jsonrpc":"2.0","METHOD":"m"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		m, err := Parse(in, Limits{Depth: 16})
		if err != nil {
			for _, sentinel := range []error{ErrMalformed, ErrBatch, ErrTooLarge, ErrTooDeep, ErrAmbiguous} {
				if errors.Is(err, sentinel) {
					return
				}
			}
			t.Fatalf("not a sentinel: %v", err)
		}
		if !m.Raw.IsValid() {
			t.Fatalf("accepted invalid JSON %q", in)
		}
		if again, err := Parse(m.Raw, Limits{Depth: 16}); err != nil || again.Kind != m.Kind || again.Method != m.Method {
			t.Fatalf("not stable: %v", err)
		}
	})
}

// FuzzMembers holds the fast paths against the library without them: what is
// read is what a decoder of its own reads token by token, and nothing is read of
// what that one refuses.
func FuzzMembers(f *testing.F) {
	for _, s := range []string{
		`{"a":1,"\u0061":2}`, `{"\u0061":1,"b":{"c":[],"\u0063":0}}`, `{"a":{"x":1,"x":2}}`, `{"é":1,"\u00e9":2}`, `{"\/":1,"/":2}`,
		`{"\ud83d\ude00":1,"😀":2}`, `{"\ud800":1}`, `{"a":"\udc00"}`, `{"a":"\uD83D\u0041"}`, "{\"\xff\":1}", "{\"a\":\"\xc3\x28\"}", "{\"a\":\"\xed\xa0\x80\"}",
		"{\"a\tb\":1}", "{\"a\":\"\x1f\"}", "{\"\x00\":1}", "{\"\x7f\":1}", `{"a\"":1,"a\u0022":2}`, `{"\\":1,"\u005c":2}`, `{"\\u0061":1,"a":2}`,
		`{"a":1}}`, `{"a":1]`, `{"a":1,}`, `{"a"}`, `{"a\`, `{"a":"\`, `{"":1,"":2}`, ` { "a" : [ 1 , "}" ] } `, `{"a":"\u00"}`, `[1]`, `{"a":01}`, `{"\x61":1}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := Members(in)
		want, values, wantErr := plainMembers(in)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%q: %v, the library says %v", in, err, wantErr)
		}
		if err != nil {
			return
		}
		if len(got) != len(want) {
			t.Fatalf("%q: %d members, the library reads %d", in, len(got), len(want))
		}
		for i, m := range got {
			if m.Name != want[i] || string(m.Value) != values[i] || string(in[m.Start:m.End]) != values[i] || in[m.KeyStart] != '"' {
				t.Fatalf("%q: %q is %q, the library reads %q, %q", in, m.Name, m.Value, want[i], values[i])
			}
		}
		if deep := maxDepth(in); Deeper(in, deep) || deep > 0 && !Deeper(in, deep-1) {
			t.Fatalf("%q is %d deep", in, deep)
		}
	})
}

// plainMembers reads an object with a decoder that nobody used before.
func plainMembers(in []byte) (names, values []string, err error) {
	dec := jsontext.NewDecoder(bytes.NewReader(in))
	open, err := dec.ReadToken()
	if err != nil || open.Kind() != '{' {
		return nil, nil, errors.Join(err, errors.New("no object"))
	}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, nil, err
		}
		text := name.String()
		value, err := dec.ReadValue()
		if err != nil {
			return nil, nil, err
		}
		names, values = append(names, text), append(values, string(value))
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, nil, err
	}
	if _, err := dec.ReadToken(); err != io.EOF {
		return nil, nil, errors.New("something follows")
	}
	return names, values, nil
}

// maxDepth is how deep valid JSON nests.
func maxDepth(in []byte) (deepest int) {
	dec := jsontext.NewDecoder(bytes.NewReader(in))
	for {
		if _, err := dec.ReadToken(); err != nil {
			return deepest
		}
		deepest = max(deepest, dec.StackDepth())
	}
}

func BenchmarkParse1KB(b *testing.B) {
	in := []byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"q":"` + strings.Repeat("lorem ipsum ", 80) + `"}}}`)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(in, DefaultLimits); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzDeeper holds the search for the ends of strings to reading byte by byte.
func FuzzDeeper(f *testing.F) {
	for _, seed := range []string{
		`{"a":"[[["}`, `"\"[["[[`, `"\\"[[`, `"\\\"[["[[`, `"a\`, `"`, `"\`, `["\"",[["]`, `\"[[`, strings.Repeat(`"\"\\`, 9) + `[[[`,
	} {
		f.Add([]byte(seed), 2)
	}
	f.Fuzz(func(t *testing.T, b []byte, limit int) {
		depth, deepest, inString := 0, 0, false
		for i := 0; i < len(b); i++ {
			switch c := b[i]; {
			case inString && c == '\\':
				i++
			case c == '"':
				inString = !inString
			case inString:
			case c == '{' || c == '[':
				depth++
				deepest = max(deepest, depth)
			case c == '}' || c == ']':
				depth--
			}
		}
		if limit = max(limit, 0); Deeper(b, limit) != (deepest > limit) {
			t.Errorf("%q is %d deep; deeper than %d: %v", b, deepest, limit, Deeper(b, limit))
		}
	})
}
