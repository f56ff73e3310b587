package engine

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/engine/match"
)

// ManifestError is what is wrong with a manifest, and where. It wraps
// [ErrManifest].
type ManifestError struct {
	// At is the place in the manifest; of a member that is missing, the object
	// that should have it. "" is the manifest itself.
	At      jsontext.Pointer
	Problem string // what was found and what is expected
	cause   error
}

// Error implements error.
func (e *ManifestError) Error() string {
	path := ""
	for name := range e.At.Tokens() {
		switch {
		case name != "" && strings.Trim(name, "0123456789") == "":
			path += "[" + name + "]"
		case path == "":
			path = name
		default:
			path += "." + name
		}
	}
	if path != "" {
		path += ": "
	}
	return ErrManifest.Error() + ": " + path + e.Problem
}

// Unwrap makes every one of them an [ErrManifest].
func (e *ManifestError) Unwrap() []error {
	if e.cause == nil {
		return []error{ErrManifest}
	}
	return []error{ErrManifest, e.cause}
}

func unfit(at jsontext.Pointer, format string, args ...any) *ManifestError {
	return &ManifestError{At: at, Problem: fmt.Sprintf(format, args...)}
}

// unfitPattern is a pattern, or all of them, that package match refuses.
func unfitPattern(at jsontext.Pointer, err error) *ManifestError {
	return &ManifestError{at, strings.TrimPrefix(err.Error(), match.ErrPattern.Error()+": "), err}
}

// unfitText is a text that is not as it should be, or none at all.
func unfitText(object jsontext.Pointer, name, found, want string) *ManifestError {
	if found == "" {
		return unfit(object, "%s is missing or empty: want %s", name, want)
	}
	return unfit(object.AppendToken(name), "found %s: want %s", quoted(found), want)
}

// quoted shows an author what he wrote, if it is not long.
func quoted(s string) string {
	const most = 80
	if len(s) > most {
		return fmt.Sprintf("%q and %d bytes more", s[:most], len(s)-most)
	}
	return fmt.Sprintf("%q", s)
}

// oneOf lists what is expected.
func oneOf[T ~string](words ...T) string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = string(w)
	}
	if len(all) == 1 {
		return all[0]
	}
	return strings.Join(all[:len(all)-1], ", ") + " or " + all[len(all)-1]
}

// unread explains why the JSON of a manifest was not taken.
func unread(err error) *ManifestError {
	var semantic *json.SemanticError
	var syntactic *jsontext.SyntacticError
	switch {
	case errors.Is(err, json.ErrUnknownName) && errors.As(err, &semantic):
		return unfit(semantic.JSONPointer, "a member that no manifest has")
	case errors.Is(err, jsontext.ErrDuplicateName) && errors.As(err, &syntactic):
		return unfit(syntactic.JSONPointer, "a duplicate member")
	case errors.As(err, &syntactic):
		return unfit(syntactic.JSONPointer, "no JSON: %s, at byte %d", syntactic.Err, syntactic.ByteOffset)
	case errors.As(err, &semantic) && semantic.GoType != nil && semantic.Err == nil:
		return unfit(semantic.JSONPointer, "found %s: want %s", kindName(semantic.JSONKind), wantedKind(semantic.GoType))
	case errors.As(err, &semantic) && semantic.Err != nil:
		if semantic.GoType != nil && wantedKind(semantic.GoType) != "" && !errors.Is(semantic.Err, errTriggerForm) {
			return unfit(semantic.JSONPointer, "found %s: want %s", shown(semantic.JSONValue), wantedKind(semantic.GoType))
		}
		return unfit(semantic.JSONPointer, "%s", semantic.Err)
	}
	return unfit("", "%s", err)
}
