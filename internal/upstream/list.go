package upstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// Listing reads all pages of everything the server lists. A list whose
// capability is absent is not asked for; one that the server does not know is
// absent too. In the modern era the server is asked anew who it is.
func (c *Client) Listing(ctx context.Context) (*listing.Listing, error) {
	hello := c.hello
	if c.era == protocol.Modern {
		ctx, cancel := context.WithTimeout(ctx, c.lim.CallTimeout)
		defer cancel()
		var err error
		if hello, err = c.discover(ctx); err != nil {
			return nil, fmt.Errorf("list server: %w", listError(err))
		}
	}
	l := &listing.Listing{
		Era: c.era, ProtocolVersion: hello.ProtocolVersion,
		ServerInfo: hello.ServerInfo, Capabilities: hello.Capabilities, Instructions: hello.Instructions,
	}
	budget := int64(listing.MaxBytes)
	for _, list := range []struct {
		capability, method string
		into               *[]jsontext.Value
	}{
		{"tools", protocol.MethodToolsList, &l.Tools},
		{"prompts", protocol.MethodPromptsList, &l.Prompts},
		{"resources", protocol.MethodResourcesTemplatesList, &l.Templates},
		{"resources", protocol.MethodResourcesList, &l.Resources},
	} {
		if _, _, _, err := jsonrpc.Get(hello.Capabilities, jsontext.Pointer("/"+list.capability)); err != nil {
			continue
		}
		entries, err := c.list(ctx, list.method, &budget)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", list.method, listError(err))
		}
		*list.into = entries
	}
	return l, nil
}

// listError marks the answer of a server that discovers as modern and then
// refuses modern requests.
func listError(err error) error {
	if errors.Is(err, answeredError(protocol.CodeUnsupportedVersion)) {
		return fmt.Errorf("%w: %w", ErrEra, err)
	}
	return err
}

// list reads the pages of one list within one CallTimeout. budget is what all
// lists together may still take in bytes.
func (c *Client) list(ctx context.Context, method string, budget *int64) ([]jsontext.Value, error) {
	ctx, cancel := context.WithTimeout(ctx, c.lim.CallTimeout)
	defer cancel()
	row, _ := protocol.Lookup(method)
	entries := []jsontext.Value{}
	seen := map[string]bool{}
	var params jsontext.Value
	for page := 1; ; page++ {
		if page > c.lim.ListPages {
			return nil, fmt.Errorf("%w: more than %d pages", ErrCursorLoop, c.lim.ListPages)
		}
		result, err := c.result(ctx, method, params, []string{row.List, "nextCursor"})
		if errors.Is(err, answeredError(protocol.CodeMethodNotFound)) && page == 1 {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		more, err := pageEntries(result, row.List)
		if err != nil {
			return nil, err
		}
		entries = append(entries, more...)
		*budget -= int64(len(result))
		if len(entries) > c.lim.ListEntries || *budget < 0 {
			return nil, fmt.Errorf("%w: more than %d entries or %d bytes of lists", ErrTooLarge, c.lim.ListEntries, listing.MaxBytes)
		}
		cursor, err := nextCursor(result)
		if err != nil || cursor == nil {
			return entries, err
		}
		if seen[string(cursor)] {
			return nil, fmt.Errorf("%w: a cursor came twice", ErrCursorLoop)
		}
		seen[string(cursor)] = true
		params = append(append(jsontext.Value(`{"cursor":`), cursor...), '}')
	}
}

// pageEntries returns the raw entries of a page; a missing or null list has none.
func pageEntries(result jsontext.Value, member string) ([]jsontext.Value, error) {
	raw, _, _, err := jsonrpc.Get(result, jsontext.Pointer("/"+member))
	if err != nil || raw.Kind() == 'n' {
		return nil, nil
	}
	elements, err := jsonrpc.Elements(raw)
	if err != nil {
		return nil, protocolError(member + " is not an array")
	}
	entries := make([]jsontext.Value, len(elements))
	for i, e := range elements {
		if e.Value.Kind() != '{' {
			return nil, protocolError("an entry of " + member + " is not an object")
		}
		entries[i] = e.Value
	}
	return entries, nil
}

// nextCursor returns the raw cursor, canonically escaped; nil at the end, which
// SDKs also take the empty cursor for.
func nextCursor(result jsontext.Value) (jsontext.Value, error) {
	raw, _, _, err := jsonrpc.Get(result, "/nextCursor")
	if err != nil || raw.Kind() == 'n' {
		return nil, nil
	}
	text, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return nil, protocolError("nextCursor is not a string")
	}
	if len(text) == 0 {
		return nil, nil
	}
	return jsontext.AppendQuote(nil, text)
}

// Capture lists the server in every era that it speaks. Server and source are
// the caller's to name.
func Capture(ctx context.Context, t Target, lim Limits) (*listing.Capture, error) {
	c := &listing.Capture{Source: listing.SourceRegistry, CapturedAt: time.Now().UTC()}
	var silent []error
	for _, era := range []protocol.Era{protocol.Legacy, protocol.Modern} {
		l, err := captureEra(ctx, t, era, lim)
		switch {
		case errors.Is(err, ErrEra):
			silent = append(silent, fmt.Errorf("%s era: %w", era, err))
		case err != nil:
			return nil, fmt.Errorf("%s era: %w", era, err)
		default:
			c.Listings = append(c.Listings, *l)
		}
	}
	if len(c.Listings) == 0 {
		return nil, errors.Join(silent...)
	}
	return c, nil
}

func captureEra(ctx context.Context, t Target, era protocol.Era, lim Limits) (*listing.Listing, error) {
	c, err := Dial(ctx, t, era, lim)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.Listing(ctx)
}
