package scanner

import (
	"fmt"
	"strings"
	"testing"
)

// TestAnswersKeepTheirLimits holds that a scanner which finds more than the
// input allows says as much as fits and that there is more.
func TestAnswersKeepTheirLimits(t *testing.T) {
	saved := handler
	defer func() { handler = saved }()
	const found = 40
	Handle(nil, func(*Input) *Output {
		out := NewOutput()
		for i := range found {
			out.Add(Finding{Rule: "r", Segment: 0, Start: i, End: i + 1, Message: strings.Repeat("m", 100)})
		}
		return out
	})
	for _, tc := range []struct{ findings, bytes, want int }{
		{0, 0, found}, {found, 1 << 16, found}, {found - 1, 1 << 16, found - 1}, {1, 1 << 16, 1}, {found, 1 << 10, -1}, {found, 60, 0},
	} {
		in := fmt.Sprintf(`{"phase":"result","segments":[{"text":%q}],"limits":{"findings":%d,"outputBytes":%d}}`,
			strings.Repeat("a", found), tc.findings, tc.bytes)
		b, err := Exec([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		out := string(b)
		n := strings.Count(out, `"rule"`)
		if tc.want >= 0 && n != tc.want || tc.want < 0 && (n == 0 || n == found) {
			t.Errorf("%+v: %d findings", tc, n)
		}
		if n > 0 && tc.bytes > 0 && len(out) > tc.bytes {
			t.Errorf("%+v: %d bytes", tc, len(out))
		}
		if partial := strings.Contains(out, `"partial"`); partial != (n < found) {
			t.Errorf("%+v: %s", tc, out)
		}
	}
}
