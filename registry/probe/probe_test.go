//go:build linux && (amd64 || arm64)

package probe

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/internal/sandbox"
)
