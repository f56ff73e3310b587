//go:build !race

package normalise

import (
	"encoding/base32"
	"encoding/hex"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// same holds that the views of a text are those of the reference.
func same(t *testing.T, text string) {
	t.Helper()
	got, complete := Views(text, DefaultLimits)
	want, wantComplete := referenceViews(text, DefaultLimits)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || complete != wantComplete {
		t.Fatalf("%.300q: complete %v, want %v: %.2000s", text, complete, wantComplete, diff)
	}
}

// pieces are what decoders look for and what comes near it.
var pieces = []string{
	" ", " ", "\n", "\r\n", "  ", ",", "-", ":", "/", "+", "_", "=", ".", "0", "0x", "0x0", "x", "X", "%", "%4", "%41", "%u0041", "%ff", "%e2%80%8b",
	"\\", `\n`, `\"`, `\x41`, `\u0041`, `\u{`, `\u{41}`, `\ud83d\ude00`, `\ud83d`, `\U0001F600`, "{", "}", `{"a":"`, `"}`, "&", "&amp;", "&lt", "&#65;", "&#x", "&1", "&notit;",
	"<!--", "-->", "<!-->", "a", "Z", "abcdef", "word", "gur", "Naq", "lbh", "vafgehpgvbaf", "é", "о", "\u200b", "\u00ad", "\ufe0f", "\U000e0041", "\ufdfa", "ﬁ", "Ω", "今日",
	"\xff", "\xf3\xa0", "\x00", "\x7f", "\u0301", "\u0430\u0440\u0440le", "раураl", "ӏ", "ı", "한", "\u1112\u1161\u11ab", "e\u0301", "AAAAAAAAAAAAAAA", "aGVsbG8gd29ybGQg", "68656c6c6f20776f726c6421",
	b64(secret), wrapped(b64(secret + secret)), hex.EncodeToString([]byte(secret)), pairs("hello world", ":"), pairs("hello world", ", 0x"), url.QueryEscape(secret),
	"=", "=\r\n", "=49", "=6E", "=C3=A9", "a=\nb", "\x1b", "\x1b[", "\x1b[0;31m", "\x1b]8;;x", "\x07", "\x1b\\", "\x01", "\u0085", "\u009b", `\111`, `\08`, "[", "](", "]:", "]: ", "(", ")", "[a]: ", " \"",
	`](https://example.org "a title")`, "](?q=a+b+c", "\n[//]: # (a comment)", " 'x' ", "i g n o r e  ", "p.r.e.v", "(i)(g)(n)", "s-e-n-d t-h-e", "🅸🅶🅽🅾🆁🅴🅰🅱", "🇫🇷", "o\u0336", "ïgnörë", "prëvïöus", "systém", "ž", "ø", "κ", "дa",
	"105 103 110 111 114 101 32 97 108 108 32 110 111 119", ", 97", "|", "01101000 01101001 00100000 01101000 01101001 00100000 01110100 01101111", codes("hello world", "%08b", ""), codes("hello world, you", "%o", " "), base32.StdEncoding.EncodeToString([]byte("hello world, you")),
	cipher(3).of("previous instructions"), atbash.of("system prompt"), backwards("reveal the password"), lines(b64(secret), 20, "\n"), lines(hex.EncodeToString([]byte(secret)), 16, "\r\n"), "U+0048", "a\u200bb", "word\u200bword\u200bword", "soft\u00adhyphen",
	tags("hidden text"), selectors("hidden text"), "internationalization", "src/internal/normalise/normalise_test.go", "550e8400-e29b-41d4-a716-446655440000",
}

// scramble strings pieces together, now and then encoding what is there.
func scramble(r *rand.Rand) string {
	var b strings.Builder
	few := 2 + r.IntN(len(pieces)) // some texts are made of little
	from := r.IntN(len(pieces))
	for range r.IntN(60) {
		b.WriteString(pieces[(from+r.IntN(few))%len(pieces)])
		if r.IntN(12) == 0 {
			b.WriteByte(byte(r.IntN(256)))
		}
		if r.IntN(25) == 0 {
			s := b.String()
			b.Reset()
			b.WriteString(encode(r, s))
		}
	}
	return b.String()
}

func encode(r *rand.Rand, s string) string {
	switch r.IntN(12) {
	case 0:
		return b64(s)
	case 1:
		return hex.EncodeToString([]byte(s))
	case 2:
		return url.PathEscape(s)
	case 3:
		return strings.Map(referenceRotate, s)
	case 4:
		quoted, _ := jsontext.AppendQuote(nil, strings.ToValidUTF8(s, "?"))
		return string(quoted)
	case 5:
		return backwards(strings.ToValidUTF8(s, "?"))
	case 6:
		return cipher(1 + r.IntN(26)).of(s)
	case 7:
		return strings.Join(strings.Split(s, ""), " ")
	case 8:
		return codes(s, "%d", " ")
	case 9:
		return base32.StdEncoding.EncodeToString([]byte(s))
	}
	return wrapped(b64(s))
}

func TestViewsAreTheReferences(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	n := 2_000
	if testing.Short() {
		n = 500
	}
	for range n {
		same(t, scramble(r))
	}
	for name, text := range hostile(16 << 10) {
		t.Run(name, func(t *testing.T) { same(t, text) })
	}
}

// TestCharactersAreTheReferences goes through the planes that hold characters
// of interest.
func TestCharactersAreTheReferences(t *testing.T) {
	for _, plane := range []rune{0, 1, 14} {
		for r := plane << 16; r < (plane+1)<<16; r++ {
			if r < utf8.RuneSelf || !utf8.ValidRune(r) {
				continue
			}
			text := "pa" + string(r) + "l e" + string(r) // in a word, and after a letter it may combine with
			plain, decoders := plainText(text, lookAt(text))
			wantPlain, wantDecoders := referencePlain(text)
			if plain != wantPlain || decoders != wantDecoders {
				t.Fatalf("%U: %q by %q, want %q by %q", r, plain, decoders, wantPlain, wantDecoders)
			}
		}
	}
}

// TestLookalikes holds what foldConfusables relies on.
func TestLookalikes(t *testing.T) {
	for _, r := range lookalikes {
		if r >= utf8.RuneSelf && !unicode.IsLetter(r) || r < utf8.RuneSelf && !isLatin(r) {
			t.Errorf("%q is no letter", r)
		}
	}
}

// TestViewsAreTheReferencesOverCorpora reads every string of the public corpora
// and listings, where they are at hand, and the lines as they stand: of long
// files every fifth.
func TestViewsAreTheReferencesOverCorpora(t *testing.T) {
	var files []string
	for variable, where := range map[string]string{"BARTIZAN_CORPORA": "corpora/*.jsonl", "BARTIZAN_LISTINGS": "listings/*.json"} {
		dir := os.Getenv(variable)
		if dir == "" {
			dir = filepath.Join("../../../shared", filepath.Dir(where))
		}
		found, _ := filepath.Glob(filepath.Join(dir, filepath.Base(where)))
		files = append(files, found...)
	}
	if len(files) == 0 {
		t.Skip("no corpora: set BARTIZAN_CORPORA and BARTIZAN_LISTINGS")
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts, every := 0, 1
		if len(raw) > 1<<20 {
			every = 5
		}
		n := 0
		for line := range strings.Lines(string(raw)) {
			if n++; n%every > 0 {
				continue
			}
			same(t, line)
			var v any
			if json.Unmarshal([]byte(line), &v) == nil {
				texts += eachString(v, func(s string) { same(t, s) })
			}
		}
		var v any
		if json.Unmarshal(raw, &v) == nil {
			texts += eachString(v, func(s string) { same(t, s) })
		}
		t.Logf("%s: %d texts", filepath.Base(file), texts)
	}
}

func eachString(v any, use func(string)) (n int) {
	switch v := v.(type) {
	case string:
		use(v)
		return 1
	case []any:
		for _, e := range v {
			n += eachString(e, use)
		}
	case map[string]any:
		for name, e := range v {
			use(name)
			n += 1 + eachString(e, use)
		}
	}
	return n
}

func FuzzViews(f *testing.F) {
	for _, s := range []string{secret, b64(secret), url.PathEscape(secret), tags(secret), `\u{1F600}\ud83d\ude00\x`, "%u00zz%", "<!--<!---->-->", "0x0x00:", "\xff\xfe"} {
		f.Add(s)
	}
	for _, s := range pieces {
		f.Add(s + s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		same(t, text)
		views, _ := Views(text, DefaultLimits)
		total, seen := 0, map[string]bool{text: true}
		for _, v := range views {
			total += len(v.Text)
			if v.Text == "" || v.Provenance == "" || seen[v.Text] || !utf8.ValidString(v.Text) {
				t.Errorf("view %q of %q", v, text)
			}
			seen[v.Text] = true
		}
		if total > DefaultLimits.Factor*len(text)+slack {
			t.Errorf("%d bytes of views from %d", total, len(text))
		}
	})
}
