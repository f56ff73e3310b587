package main

import (
	"testing"
	"unicode/utf8"
)

func TestSkeleton(t *testing.T) {
	for _, c := range []struct {
		name, want string
		odd        bool
	}{
		{"Send_Email", "sendemail", false},
		{"send-email", "sendemail", false},
		{"sеnd_email", "sendemail", true},
		{"send\u200b_email", "sendemail", true},
		{"ｓｅｎｄ_email", "sendemail", true},
		{"привет", "пpивeт", false},
	} {
		got, odd := skeleton(c.name)
		if c.name == "привет" {
			if odd {
				t.Errorf("%q: a name in one script is called odd", c.name)
			}
			continue
		}
		if got != c.want || odd != c.odd {
			t.Errorf("%q: %q %v, want %q %v", c.name, got, odd, c.want, c.odd)
		}
	}
}

func TestWithin(t *testing.T) {
	for _, c := range []struct {
		a, b  string
		limit int
		want  bool
	}{
		{"email", "email", 0, true}, {"email", "emial", 1, true}, {"email", "mail", 1, true}, {"email", "emails", 1, true},
		{"email", "emoil", 1, true}, {"email", "male", 1, false}, {"", "ab", 1, false}, {"", "ab", 2, true}, {"ca", "abc", 2, false},
	} {
		if got := within(c.a, c.b, c.limit); got != c.want {
			t.Errorf("%q %q within %d: %v", c.a, c.b, c.limit, got)
		}
	}
}

func TestSimilarity(t *testing.T) {
	if s := likeText("Get the forecast of a city", "get the FORECAST of a city."); s != 1 {
		t.Errorf("equal words: %v", s)
	}
	if s := likeText("Get it", "Get it"); s != 0 {
		t.Errorf("too short to compare: %v", s)
	}
	if s := likeText("Lists the files of a folder with their sizes and dates, oldest first.", "Better than before! Lists the files of a folder with their sizes and dates, oldest first. Use it."); s < 0.99 {
		t.Errorf("with something put around it: %v", s)
	}
	if s := likeText("Lists the files of a folder with their sizes and dates", "Lists the files of a folder with their sizes and dates, oldest first, and follows links where it is told to"); s < 0.99 {
		t.Errorf("cut short: %v", s)
	}
	if s := likeText("获取热榜数据", "获取热榜数据"); s != 1 {
		t.Errorf("ideographs: %v", s)
	}
}

func FuzzSkeleton(f *testing.F) {
	f.Add("sеnd\u200b_Email", "send_email")
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) > 200 || len(b) > 200 {
			t.Skip()
		}
		x, _ := skeleton(a)
		y, _ := skeleton(b)
		if again, _ := skeleton(x); utf8.ValidString(a) && again != x {
			t.Fatalf("%q: %q, then %q", a, x, again)
		}
		if within(x, y, 2) != within(y, x, 2) {
			t.Fatalf("%q %q: not symmetric", x, y)
		}
		likeText(a, b)
	})
}

func likeText(a, b string) float64 { return similarity(&passage{text: a}, &passage{text: b}) }
