package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	extism "github.com/extism/go-sdk"
)

// extismPDKs says with which PDK the example of a language is a plugin of Extism,
// from guest/extism and, in C, guest/c. The languages stand by the names of their
// modules; the others have none.
var extismPDKs = []struct{ language, pdk string }{
	{"c", "what the PDK does, written by us"},
	{"go", "go-pdk v1.1.3"},
	{"rust", "extism-pdk 1.0.1, the last for Rust 1.63, which also compiles the example"},
	{"assemblyscript", "@extism/as-pdk 1.0.0"},
}

// noPDKs is the rest of the languages.
const noPDKs = "The PDKs for Zig and JavaScript are in no package registry; Nim has none."

// otherHost is the example in a language as a plugin of Extism, without its
// timeout and with it. It has no rows where the plugin was not built.
func otherHost(ctx context.Context, language string) ([][]string, error) {
	wasm, err := guest(language + "-ticket-extism")
	if err != nil {
		return nil, err
	}
	var lines [][]string
	for _, host := range []struct {
		name    string
		timeout time.Duration
	}{{" in Extism", 0}, {" in Extism, with its timeout", time.Minute}} {
		cells, err := otherHostRow(ctx, wasm, host.timeout)
		if err != nil {
			return nil, err
		}
		lines = append(lines, append([]string{languageNames[language] + host.name}, cells...))
	}
	return lines, nil
}

func otherHostRow(ctx context.Context, wasm []byte, timeout time.Duration) ([]string, error) {
	began := time.Now()
	p, err := ticketPlugin(ctx, wasm, timeout)
	if err != nil {
		return nil, err
	}
	defer p.Close(ctx)
	cells := []string{bytesOf(len(wasm)), duration(float64(time.Since(began))), ""}
	for _, text := range ticketTexts() {
		answer, err := callTicket(p, flatInput(text))
		if err != nil {
			return nil, err
		}
		if err := sameTickets(answer, text); err != nil {
			return nil, fmt.Errorf("%.60q: %w", text, err)
		}
	}
	for _, size := range languageSizes {
		in := flatInput(ticketText(size.bytes))
		var times []float64
		for start := time.Now(); moreCalls(len(times), start); {
			began := time.Now()
			if _, err := callTicket(p, in); err != nil {
				return nil, err
			}
			times = append(times, float64(time.Since(began)))
		}
		cells = append(cells, duration(median(times)))
	}
	return append(cells, "none", ""), nil
}

// ticketPlugin makes one instance, which serves all calls, as hosts do. The
// SDKs' guests import a log, which none of the calls reaches.
func ticketPlugin(ctx context.Context, wasm []byte, timeout time.Duration) (*extism.Plugin, error) {
	log := extism.NewHostFunctionWithStack("log", func(context.Context, *extism.CurrentPlugin, []uint64) {},
		[]extism.ValueType{extism.ValueTypeI32, extism.ValueTypeI32, extism.ValueTypeI32}, nil)
	log.SetNamespace("bartizan")
	return extism.NewPlugin(ctx, extism.Manifest{
		Wasm: []extism.Wasm{extism.WasmData{Data: wasm}}, Timeout: uint64(timeout.Milliseconds()),
		Memory: &extism.ManifestMemory{MaxPages: 512},
	}, extism.PluginConfig{EnableWasi: true}, []extism.HostFunction{log})
}

func callTicket(p *extism.Plugin, in []byte) ([]byte, error) {
	code, answer, err := p.Call("plugin", in)
	if err == nil && code != 0 {
		err = fmt.Errorf("the plugin returned %d", code)
	}
	return answer, err
}

// elsewhere returns the rows of the other host by language, and a sentence on
// what is in them and what is missing.
func elsewhere(ctx context.Context) (map[string][][]string, string, error) {
	rows := map[string][][]string{}
	var built, absent []string
	for _, l := range extismPDKs {
		fmt.Fprintln(os.Stderr, l.language, "in Extism")
		lines, err := otherHost(ctx, l.language)
		switch {
		case errors.Is(err, errAbsent):
			absent = append(absent, fmt.Sprintf("%s, not built (%s)", languageNames[l.language], toolchain(l.language)))
			continue
		case err != nil:
			return nil, "", fmt.Errorf("%s in Extism: %w", l.language, err)
		}
		rows[l.language] = lines
		built = append(built, languageNames[l.language]+" with "+l.pdk)
	}
	note := "In Extism (go-sdk v1.7.1): the same source on the same input, its answers compared with native Go's first; one instance serves all calls, and its memory is not put back. " +
		strings.Join(built, "; ") + ". " + noPDKs
	if len(absent) > 0 {
		note += " Left out: " + strings.Join(absent, "; ") + "."
	}
	return rows, note, nil
}
