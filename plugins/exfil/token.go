package main

import "strings"

// alphabet names the bytes that the body of a token may hold.
type alphabet uint8

const (
	alnum    alphabet = iota // A-Z a-z 0-9
	word                     // alnum _
	url64                    // alnum - _
	hexLow                   // 0-9 a-f
	hexAny                   // 0-9 a-f A-F
	base32                   // A-Z 2-7
	upperNum                 // A-Z 0-9
	digits                   // 0-9
	base64                   // alnum + / =
	dotted                   // alnum - _ .
)

// alphabets has the bit of each alphabet that a byte belongs to.
var alphabets = func() (t [256]uint16) {
	for c := range t {
		for a := range alphabet(len(members)) {
			if strings.IndexByte(members[a], byte(c)) >= 0 {
				t[c] |= 1 << a
			}
		}
	}
	return t
}()

const (
	lowers   = "abcdefghijklmnopqrstuvwxyz"
	uppers   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	numerals = "0123456789"
)

var members = [...]string{
	alnum:    lowers + uppers + numerals,
	word:     lowers + uppers + numerals + "_",
	url64:    lowers + uppers + numerals + "-_",
	hexLow:   numerals + "abcdef",
	hexAny:   numerals + "abcdefABCDEF",
	base32:   uppers + "234567",
	upperNum: uppers + numerals,
	digits:   numerals,
	base64:   lowers + uppers + numerals + "+/=",
	dotted:   lowers + uppers + numerals + "-_.",
}

func (a alphabet) has(c byte) bool { return alphabets[c]>>a&1 != 0 }

// format is the published shape of one provider's token: a fixed prefix, then
// between min and max bytes of an alphabet.
type format struct {
	provider string
	prefix   string
	body     alphabet
	min, max int
	check    func(body string) bool // nil when the shape alone is the proof
}

// wide marks formats without a published upper bound.
const wide = 4096

// formats are written from the providers' own documentation of their token
// formats (most announce the prefix so that scanners can find it).
var formats = [...]format{
	{"aws", "AKIA", base32, 16, 16, nil},
	{"aws", "ASIA", base32, 16, 16, nil},
	{"aws-bedrock", "ABSKQmVkcm9ja0FQSUtleS", base64, 80, 300, nil},
	{"aws-bedrock", "bedrock-api-key-", base64, 60, wide, nil},
	{"alibaba", "LTAI", alnum, 16, 26, mixed},
	{"tencent", "AKID", alnum, 32, 48, mixed},
	{"github", "ghp_", alnum, 36, 36, nil},
	{"github", "gho_", alnum, 36, 36, nil},
	{"github", "ghu_", alnum, 36, 36, nil},
	{"github", "ghs_", alnum, 36, 36, nil},
	{"github", "ghr_", alnum, 36, 76, nil},
	{"github", "github_pat_", word, 60, 100, nil},
	{"gitlab", "glpat-", dotted, 20, 60, nil},
	{"gitlab", "gldt-", url64, 20, 60, nil},
	{"gitlab", "glrt-", dotted, 20, 60, nil},
	{"gitlab", "glptt-", hexLow, 40, 40, nil},
	{"gitlab", "glcbt-", word, 20, 64, nil},
	{"gitlab", "glsoat-", url64, 20, 20, nil},
	{"gitlab", "glagent-", url64, 50, 50, nil},
	{"gitlab", "gloas-", hexLow, 64, 64, nil},
	{"gitlab", "GR1348941", url64, 20, 20, mixed},
	{"slack", "xoxb-", url64, 24, 120, mixed},
	{"slack", "xoxp-", url64, 24, 120, mixed},
	{"slack", "xoxa-", url64, 24, 160, mixed},
	{"slack", "xoxr-", url64, 24, 160, mixed},
	{"slack", "xoxs-", url64, 24, 120, mixed},
	{"slack", "xoxe.", dotted, 60, 300, mixed},
	{"slack", "xoxe-", url64, 60, 300, mixed},
	{"slack", "xapp-", url64, 40, 160, mixed},
	{"google", "AIza", url64, 35, 35, mixed},
	{"google-oauth", "GOCSPX-", url64, 28, 28, nil},
	{"google-oauth", "ya29.", dotted, 40, wide, nil},
	{"google-oauth", "1//0", url64, 40, 120, mixed},
	{"stripe", "sk_live_", alnum, 20, 250, nil},
	{"stripe", "rk_live_", alnum, 20, 250, nil},
	{"stripe", "sk_test_", alnum, 20, 250, nil},
	{"stripe", "rk_test_", alnum, 20, 250, nil},
	{"stripe", "whsec_", base64, 28, 80, mixed},
	{"openai", "sk-proj-", url64, 40, 250, mixed},
	{"openai", "sk-svcacct-", url64, 40, 250, mixed},
	{"openai", "sk-admin-", url64, 40, 250, mixed},
	{"openai", "sk-", alnum, 40, 60, mixed},
	{"anthropic", "sk-ant-", url64, 60, 140, nil},
	{"openrouter", "sk-or-v1-", hexLow, 64, 64, nil},
	{"langfuse", "sk-lf-", url64, 36, 36, mixed},
	{"langsmith", "lsv2_", word, 40, 60, mixed},
	{"groq", "gsk_", alnum, 48, 60, mixed},
	{"xai", "xai-", alnum, 70, 90, mixed},
	{"perplexity", "pplx-", alnum, 40, 60, mixed},
	{"replicate", "r8_", alnum, 36, 42, mixed},
	{"huggingface", "hf_", alnum, 30, 40, mixed},
	{"huggingface", "api_org_", alnum, 34, 34, mixed},
	{"nvidia", "nvapi-", url64, 60, 80, mixed},
	{"npm", "npm_", alnum, 36, 36, nil},
	{"pypi", "pypi-AgEIcHlwaS5vcmc", url64, 50, wide, nil},
	{"rubygems", "rubygems_", hexLow, 48, 48, nil},
	{"clojars", "CLOJARS_", hexLow, 60, 60, nil},
	{"nuget", "oy2", alnum, 43, 43, mixed},
	{"crates", "cio", alnum, 32, 32, mixed},
	{"docker", "dckr_pat_", url64, 27, 36, nil},
	{"docker", "dckr_oat_", url64, 27, 40, nil},
	{"artifactory", "AKCp", alnum, 64, 80, nil},
	{"artifactory", "cmVmdGtu", alnum, 56, 56, nil},
	{"sendgrid", "SG.", dotted, 60, 70, mixed},
	{"sendinblue", "xkeysib-", url64, 64, 90, nil},
	{"mailgun", "key-", hexLow, 32, 32, mixed},
	{"mailgun", "pubkey-", hexLow, 32, 32, mixed},
	{"twilio", "SK", hexLow, 32, 32, mixed},
	{"twilio", "AC", hexLow, 32, 32, mixed},
	{"digitalocean", "dop_v1_", hexLow, 64, 64, nil},
	{"digitalocean", "doo_v1_", hexLow, 64, 64, nil},
	{"digitalocean", "dor_v1_", hexLow, 64, 64, nil},
	{"shopify", "shpat_", hexAny, 32, 32, nil},
	{"shopify", "shpca_", hexAny, 32, 32, nil},
	{"shopify", "shppa_", hexAny, 32, 32, nil},
	{"shopify", "shpss_", hexAny, 32, 32, nil},
	{"square", "sq0atp-", url64, 22, 22, nil},
	{"square", "sq0csp-", url64, 43, 43, nil},
	{"square", "EAAA", url64, 60, 60, mixed},
	{"facebook", "EAA", alnum, 80, 400, mixed},
	{"facebook", "EAACEdEose0", alnum, 30, 400, nil},
	{"atlassian", "ATATT3", base64, 100, 250, nil},
	{"atlassian", "ATCTT3", base64, 100, 250, nil},
	{"bitbucket", "ATBB", base64, 24, 40, mixed},
	{"databricks", "dapi", hexLow, 32, 34, mixed},
	{"vault", "hvs.", url64, 24, 200, mixed},
	{"vault", "hvb.", url64, 100, 300, mixed},
	{"vault", "hvr.", url64, 24, 200, mixed},
	{"vault", "s.", alnum, 24, 24, mixed},
	{"doppler", "dp.pt.", alnum, 40, 44, nil},
	{"doppler", "dp.st.", dotted, 40, 80, nil},
	{"doppler", "dp.ct.", alnum, 40, 44, nil},
	{"doppler", "dp.sa.", alnum, 40, 44, nil},
	{"linear", "lin_api_", alnum, 40, 40, nil},
	{"notion", "secret_", alnum, 43, 43, mixed},
	{"notion", "ntn_", alnum, 40, 50, mixed},
	{"postman", "PMAK-", url64, 59, 59, nil},
	{"pulumi", "pul-", hexLow, 40, 40, nil},
	{"newrelic", "NRAK-", upperNum, 27, 27, nil},
	{"newrelic", "NRII-", url64, 32, 32, nil},
	{"newrelic", "NRJS-", hexLow, 19, 19, nil},
	{"grafana", "glsa_", word, 41, 41, mixed},
	{"grafana", "glc_", base64, 32, 400, mixed},
	{"grafana", "eyJrIjoi", base64, 60, 400, nil},
	{"sentry", "sntrys_", base64, 60, 400, nil},
	{"sentry", "sntryu_", hexLow, 64, 64, nil},
	{"planetscale", "pscale_tkn_", dotted, 32, 64, nil},
	{"planetscale", "pscale_pw_", dotted, 32, 64, nil},
	{"planetscale", "pscale_oauth_", dotted, 32, 64, nil},
	{"heroku", "HRKU-", url64, 36, 66, nil},
	{"flyio", "fo1_", url64, 43, 43, nil},
	{"flyio", "fm1r_", base64, 100, wide, nil},
	{"flyio", "fm2_", base64, 100, wide, nil},
	{"supabase", "sbp_", hexLow, 40, 40, nil},
	{"supabase", "sbp_", alnum, 40, 40, mixed},
	{"supabase", "sb_secret_", url64, 22, 50, nil},
	{"sourcegraph", "sgp_", word, 40, 64, mixed},
	{"figma", "figd_", url64, 38, 50, nil},
	{"figma", "figu_", url64, 38, 50, nil},
	{"dropbox", "sl.", url64, 100, wide, mixed},
	{"airtable", "pat", dotted, 79, 79, mixed},
	{"age", "AGE-SECRET-KEY-1", upperNum, 58, 58, nil},
	{"tailscale", "tskey-", url64, 18, 80, mixed},
	{"netlify", "nfp_", alnum, 36, 40, mixed},
	{"render", "rnd_", alnum, 28, 40, mixed},
	{"neon", "napi_", alnum, 48, 64, mixed},
	{"resend", "re_", word, 32, 40, mixed},
	{"vercel", "vercel_blob_rw_", word, 40, 60, mixed},
	{"razorpay", "rzp_live_", alnum, 14, 14, mixed},
	{"flutterwave", "FLWSECK", url64, 24, 60, mixed},
	{"shippo", "shippo_live_", hexAny, 40, 40, nil},
	{"shippo", "shippo_test_", hexAny, 40, 40, nil},
	{"easypost", "EZAK", alnum, 54, 54, mixed},
	{"easypost", "EZTK", alnum, 54, 54, mixed},
	{"duffel", "duffel_", url64, 43, 60, mixed},
	{"frame.io", "fio-u-", url64, 64, 64, nil},
	{"contentful", "CFPAT-", url64, 43, 43, nil},
	{"buildkite", "bkua_", hexLow, 40, 40, nil},
	{"prefect", "pnu_", alnum, 36, 36, mixed},
	{"readme", "rdme_", alnum, 70, 70, mixed},
	{"posthog", "phx_", word, 40, 48, mixed},
	{"posthog", "phc_", word, 40, 48, mixed},
	{"adafruit", "aio_", alnum, 28, 28, mixed},
	{"infracost", "ico-", alnum, 32, 32, mixed},
	{"octopus", "API-", upperNum, 25, 26, mixed},
	{"openshift", "sha256~", url64, 43, 43, mixed},
	{"intra42", "s-s4t2ud-", hexLow, 64, 64, nil},
	{"intra42", "s-s4t2af-", hexLow, 64, 64, nil},
	{"1password", "ops_eyJ", base64, 100, wide, nil},
	{"yandex", "AQVN", url64, 35, 38, mixed},
	{"yandex", "y0_", url64, 50, 70, mixed},
	{"typeform", "tfp_", dotted, 59, 59, mixed},
	{"woocommerce", "ck_", hexLow, 40, 40, mixed},
	{"woocommerce", "cs_", hexLow, 40, 40, mixed},
	{"mapbox", "sk.eyJ", dotted, 60, 120, nil},
	{"zapier", "nla-", url64, 32, 60, mixed},
	{"dynatrace", "dt0c01.", dotted, 80, 100, mixed},
	{"dynatrace", "dt0s16.", dotted, 60, 100, mixed},
	{"cloudflare-origin", "v1.0-", url64, 150, 200, mixed},
	{"circleci", "CCIPAT_", word, 40, 80, nil},
	{"telnyx", "KEY0", word, 50, 60, mixed},
	{"pinecone", "pcsk_", word, 60, 90, mixed},
	{"stytch", "secret-live-", url64, 36, 60, mixed},
	{"stytch", "secret-test-", url64, 36, 60, mixed},
	{"brevo", "xsmtpsib-", url64, 64, 90, nil},
	{"deno", "ddp_", alnum, 36, 40, mixed},
	{"hubspot", "pat-na1-", url64, 36, 36, nil},
	{"hubspot", "pat-eu1-", url64, 36, 36, nil},
	{"sonarqube", "squ_", hexLow, 40, 40, nil},
	{"sonarqube", "sqp_", hexLow, 40, 40, nil},
	{"sonarqube", "sqa_", hexLow, 40, 40, nil},
	{"clickup", "pk_", word, 30, 60, mixed},
	{"meta-threads", "THAA", alnum, 80, 300, mixed},
}

// byFirst is the formats ordered by first byte: those of byte c are
// byFirst[starts[c]:starts[c+1]]. A counting sort fills both without allocating.
var (
	byFirst [len(formats)]uint8
	starts  [129]uint8
)

func init() {
	for i := range formats {
		starts[formats[i].prefix[0]+1]++
	}
	for c := range 128 {
		starts[c+1] += starts[c]
	}
	next := starts
	for i := range formats {
		c := formats[i].prefix[0]
		byFirst[next[c]] = uint8(i)
		next[c]++
	}
}

// match reports the format and the end of a token that begins at text[i]. A
// token is not the tail of a longer word and not followed by more of the same.
func match(text string, i int) (found *format, end int) {
	if text[i] >= 128 || i > 0 && alnum.has(text[i-1]) {
		return nil, 0
	}
	for _, n := range byFirst[starts[text[i]]:starts[text[i]+1]] {
		f := &formats[n]
		if len(text)-i < len(f.prefix)+f.min || text[i:i+len(f.prefix)] != f.prefix {
			continue
		}
		start := i + len(f.prefix)
		end := start
		for end < len(text) && end-start <= f.max && f.body.has(text[end]) {
			end++
		}
		if f.body == dotted && text[end-1] == '.' {
			end-- // the full stop of a sentence
		}
		if end-start < f.min || end-start > f.max || end < len(text) && alnum.has(text[end]) {
			continue
		}
		body := text[start:end]
		if placeholder(body) || f.check != nil && !f.check(body) || entropy(body) < 2.5 {
			continue
		}
		return f, end
	}
	return nil, 0
}
