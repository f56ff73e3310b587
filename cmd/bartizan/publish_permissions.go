package main

import (
	"fmt"
	"os"

	"github.com/bartizan-mcp/bartizan/internal/permission"
)

// readPermissions reads a declaration and refuses here what the registry would.
func readPermissions(file string) ([]byte, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if _, err := permission.Parse(raw); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return raw, nil
}
