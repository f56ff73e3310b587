package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/strictyaml"
)

// Origin says where a setting's value came from.
type Origin string

// The four origins, strongest first.
const (
	FromFlag    Origin = "flag"
	FromEnv     Origin = "env"
	FromFile    Origin = "file"
	FromDefault Origin = "default"
)

// Setting is one scalar of the configuration, as `config show` prints it.
type Setting struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Origin Origin `json:"origin"`
}

// Sources are what a Config is read from. Flags are keyed as settings are:
// "gateway.addr".
type Sources struct {
	File  string
	Env   func(string) (string, bool)
	Flags map[string]string
}

// Load reads the sources in order of weight. It does not Validate.
func Load(src Sources) (Config, []Setting, error) {
	c := Default()
	defaults := scalars(&c)
	before := map[string]string{}
	for _, s := range defaults {
		before[s.key] = s.String()
	}
	if src.File != "" {
		if err := strictyaml.ReadFile(src.File, &c); err != nil {
			return Config{}, nil, fmt.Errorf("configuration: %w", err)
		}
	}
	var shown []Setting
	for _, s := range scalars(&c) {
		origin := FromDefault
		if s.String() != before[s.key] {
			origin = FromFile
		}
		if v, ok := lookup(src.Env, EnvName(s.key)); ok {
			if err := s.set(v); err != nil {
				return Config{}, nil, fmt.Errorf("%s: %w", EnvName(s.key), err)
			}
			origin = FromEnv
		}
		if v, ok := src.Flags[s.key]; ok {
			if err := s.set(v); err != nil {
				return Config{}, nil, fmt.Errorf("--%s: %w", s.key, err)
			}
			origin = FromFlag
		}
		value := s.String()
		if s.key == "gateway.token" && value != "" {
			value = "(set)"
		}
		shown = append(shown, Setting{Key: s.key, Value: value, Origin: origin})
	}
	return c, shown, nil
}

// Valid reads the sources anew. Beside Validate, also may refuse.
func (src Sources) Valid(also ...func(Config) error) (Config, error) {
	c, _, err := Load(src)
	if err == nil {
		err = c.Validate()
	}
	for _, check := range also {
		if err == nil {
			err = check(c)
		}
	}
	return c, err
}

func lookup(env func(string) (string, bool), name string) (string, bool) {
	if env == nil {
		return "", false
	}
	return env(name)
}

// EnvName is the environment variable of a setting: "gateway.blockStatus" is
// BARTIZAN_GATEWAY_BLOCK_STATUS.
func EnvName(key string) string {
	var b strings.Builder
	b.WriteString("BARTIZAN_")
	for i, r := range key {
		switch {
		case r == '.':
			b.WriteByte('_')
		case r >= 'A' && r <= 'Z' && i > 0 && key[i-1] >= 'a' && key[i-1] <= 'z':
			b.WriteByte('_')
			b.WriteRune(r)
		default:
			b.WriteString(strings.ToUpper(string(r)))
		}
	}
	return b.String()
}

// scalar is one settable leaf of the Config.
type scalar struct {
	key   string
	value reflect.Value
}

func (s scalar) String() string { return fmt.Sprint(s.value.Interface()) }

func (s scalar) set(text string) error {
	switch s.value.Interface().(type) {
	case string:
		s.value.SetString(text)
	case bool:
		v, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", text)
		}
		s.value.SetBool(v)
	case time.Duration:
		v, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("%q is no duration", text)
		}
		s.value.SetInt(int64(v))
	case float64:
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("%q is no number", text)
		}
		s.value.SetFloat(v)
	case int:
		v, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q is no whole number", text)
		}
		s.value.SetInt(int64(v))
	}
	return nil
}

// scalars lists every string, bool, number and duration of the Config in the
// order of declaration; lists come from the file alone.
func scalars(c *Config) []scalar {
	var all []scalar
	var walk func(prefix string, v reflect.Value)
	walk = func(prefix string, v reflect.Value) {
		for i := range v.NumField() {
			key := prefix + v.Type().Field(i).Tag.Get("json")
			switch field := v.Field(i); field.Kind() {
			case reflect.Struct:
				walk(key+".", field)
			case reflect.Slice, reflect.Map:
			default:
				all = append(all, scalar{key: key, value: field})
			}
		}
	}
	walk("", reflect.ValueOf(c).Elem())
	return all
}
