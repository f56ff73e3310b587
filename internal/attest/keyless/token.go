package keyless

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/go-json-experiment/json"
)

const (
	maxToken = 64 << 10
	audience = "sigstore" // what Fulcio's tokens are for
)

// Environment variables in which build services and Sigstore's own clients pass
// a token, or where to ask for one.
const (
	envToken        = "SIGSTORE_ID_TOKEN"
	envRequestURL   = "ACTIONS_ID_TOKEN_REQUEST_URL"
	envRequestToken = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
)

// Token finds the OIDC token: in a file ("" for none; "-" is in), in
// SIGSTORE_ID_TOKEN, or by asking the build service that started this process
// (ACTIONS_ID_TOKEN_REQUEST_URL). It is never an argument, which every process
// of the machine could read.
func Token(ctx context.Context, file string, in io.Reader, getenv func(string) string) (string, error) {
	switch {
	case file == "-":
		return readToken(in)
	case file != "":
		f, err := os.Open(file)
		if err != nil {
			return "", fmt.Errorf("%w: %w", ErrToken, err)
		}
		defer f.Close()
		return readToken(f)
	case getenv(envToken) != "":
		return readToken(strings.NewReader(getenv(envToken)))
	case getenv(envRequestURL) != "":
		return requestToken(ctx, getenv(envRequestURL), getenv(envRequestToken))
	}
	return "", fmt.Errorf("%w: give a file, or %s, or run where %s is set", ErrToken, envToken, envRequestURL)
}

func readToken(r io.Reader) (string, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxToken+1))
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrToken, err)
	}
	token := strings.TrimSpace(string(b))
	if len(b) > maxToken || strings.Count(token, ".") != 2 || strings.ContainsAny(token, " \t\r\n") {
		return "", fmt.Errorf("%w: not a JSON web token", ErrToken)
	}
	return token, nil
}

// requestToken asks GitHub's runner, or one that speaks like it.
func requestToken(ctx context.Context, address, bearer string) (string, error) {
	if err := checkAddress(address); err != nil {
		return "", fmt.Errorf("%w: %s: %w", ErrToken, envRequestURL, err)
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", fmt.Errorf("%w: %s", ErrToken, envRequestURL)
	}
	q := u.Query()
	q.Set("audience", audience)
	u.RawQuery = q.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrToken, err)
	}
	request.Header.Set("Authorization", "Bearer "+bearer)
	answer, err := (&http.Client{Transport: direct(), Timeout: patience}).Do(request)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrToken, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%w: the build service answers %d", ErrToken, answer.StatusCode)
	}
	var body struct {
		Value string `json:"value"`
	}
	if err := json.UnmarshalRead(io.LimitReader(answer.Body, maxToken), &body); err != nil {
		return "", fmt.Errorf("%w: the build service's answer cannot be read", ErrToken)
	}
	return readToken(strings.NewReader(body.Value))
}
