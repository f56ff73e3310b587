package signer

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/audit"
)

// SBOMKeyFile countersigns bills of materials. It is no key of trust.json: a
// gateway never asks for it.
const SBOMKeyFile = "sbom.key"

// Config says where a signer keeps its keys and what it insists on.
type Config struct {
	// Dir is the signer's own folder: trust.json and the keys in Dir/trust,
	// what it remembers in Dir/signer.
	Dir string
	// KeyedVotes refuses approvals with votes that were cast without a key, for
	// which there is only the registry's word.
	KeyedVotes bool
	Audit      *audit.Log // everything signed and refused but for snapshots
	Logger     *slog.Logger
	Now        func() time.Time
}

// Service signs what it has looked at. It is safe for concurrent use.
type Service struct {
	Config
	mu     sync.Mutex // one statement at a time: a sequence has to be on disk before the next
	ledger *ledger
	trust  *approval.Trust
	seen   string // digest of the trust file last judged
	bad    error  // why it was not accepted
	keys   map[Role]*attest.Key
}

// Open loads the keys, the trust document and what was signed before. The first
// start believes the trust.json that the operator put there; every later one
// only what follows from it.
func Open(cfg Config) (*Service, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Service{Config: cfg}
	var err error
	if s.ledger, err = openLedger(filepath.Join(cfg.Dir, "signer")); err != nil {
		return nil, err
	}
	if s.ledger.trust != nil {
		if s.trust, err = approval.ParseTrust(s.ledger.trust); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrState, err)
		}
		if s.keys, err = loadKeys(s.trustDir()); err != nil {
			return nil, err
		}
	}
	if err := s.reload(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Service) trustDir() string { return filepath.Join(s.Dir, "trust") }

// Trust is the trust document in force.
func (s *Service) Trust() *approval.Trust {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.trust
}

// Keys are the public keys by role.
func (s *Service) Keys() map[Role]*attest.PublicKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[Role]*attest.PublicKey, len(s.keys))
	for role, k := range s.keys {
		out[role] = k.Public()
	}
	return out
}

// Sign signs a statement of the role after having looked at it and at the
// evidence: for an approval the capture of the listing, for a bill of materials
// the document. Errors: a *Refusal, ErrState.
func (s *Service) Sign(ctx context.Context, role Role, statement []byte, evidence [][]byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	bundle, err := s.sign(ctx, role, statement, evidence)
	if err == nil {
		return bundle, nil
	}
	s.Logger.WarnContext(ctx, "not signed", "role", string(role), "error", err)
	if s.Audit != nil {
		if _, auditErr := s.Audit.Append(ctx, audit.SigningRefused(s.trust.Registry, string(role), string(reasonOf(err)))); auditErr != nil {
			s.Logger.ErrorContext(ctx, "record a refusal", "error", auditErr)
		}
	}
	return nil, err
}

func (s *Service) sign(ctx context.Context, role Role, statement []byte, evidence [][]byte) ([]byte, error) {
	if err := s.reload(); err != nil {
		return nil, refuse(ReasonTrust, "%s", err)
	}
	switch role {
	case RoleApproval:
		return s.signApproval(ctx, statement, evidence)
	case RoleSnapshot:
		return s.signSnapshot(ctx, statement)
	case RoleSBOM:
		return s.signSBOM(ctx, statement, evidence)
	}
	return nil, refuse(ReasonMalformed, "there is no such role")
}

// reload accepts the trust document on disk if it is the accepted one or the
// next, and takes up the keys that lie beside it.
func (s *Service) reload() error {
	file, err := approval.ReadTrust(filepath.Join(s.trustDir(), approval.TrustFile))
	if err != nil {
		return err
	}
	digest := hexDigest(file)
	if digest == s.seen {
		return s.bad
	}
	next, err := s.judge(file)
	if err == nil && next != nil {
		if s.keys, err = loadKeys(s.trustDir()); err == nil {
			err = s.ledger.accept(file)
		}
		if err != nil {
			return err // not judged yet: tried again
		}
		s.trust = next
		s.Logger.Info("trust document accepted", "registry", next.Registry, "version", next.Version)
	}
	s.seen, s.bad = digest, err
	return err
}

// judge returns the document to accept, or nil if it is accepted already.
func (s *Service) judge(file []byte) (*approval.Trust, error) {
	if s.trust == nil {
		return approval.ParseTrust(file)
	}
	return s.trust.Succeeds(s.ledger.trust, file, s.Now())
}

// loadKeys reads the keys; the one for bills of materials is made when absent.
func loadKeys(dir string) (map[Role]*attest.Key, error) {
	keys := make(map[Role]*attest.Key, 3)
	for role, name := range map[Role]string{RoleApproval: approval.ApprovalKeyFile, RoleSnapshot: approval.SnapshotKeyFile} {
		k, err := attest.LoadKey(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		keys[role] = k
	}
	k, err := attest.LoadOrMakeKey(filepath.Join(dir, SBOMKeyFile))
	if err != nil {
		return nil, err
	}
	keys[RoleSBOM] = k
	return keys, nil
}
