package attesttest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"golang.org/x/mod/sumdb/tlog"
)

// Log is a generation of transparency log.
type Log int

const (
	// LogV1 is Rekor 1: a signed entry timestamp with a time, and a proof.
	LogV1 Log = iota
	// LogV2 is Rekor 2 on tiles: a proof, and no time at all.
	LogV2
	// NoLog leaves the log out.
	NoLog
)

// transparencyLog is an RFC 6962 log in memory. It begins with entries of
// others, so that every proof has hashes.
type transparencyLog struct {
	*signingKey
	name, origin string

	mu     sync.Mutex
	size   int64
	hashes []tlog.Hash
}

func newLog(t testing.TB, name, origin string) *transparencyLog {
	t.Helper()
	l := &transparencyLog{signingKey: newSigningKey(t), name: name, origin: origin}
	for i := range 5 {
		if _, err := l.add(fmt.Appendf(nil, "entry %d of somebody", i)); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// ReadHashes implements tlog.HashReader.
func (l *transparencyLog) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		out[i] = l.hashes[x]
	}
	return out, nil
}

// add appends an entry and proves that it is there.
func (l *transparencyLog) add(body []byte) (*protorekor.InclusionProof, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	index := l.size
	stored, err := tlog.StoredHashes(index, body, l)
	if err != nil {
		return nil, err
	}
	l.hashes = append(l.hashes, stored...)
	l.size++
	head, err := tlog.TreeHash(l.size, l)
	if err != nil {
		return nil, err
	}
	path, err := tlog.ProveRecord(l.size, index, l)
	if err != nil {
		return nil, err
	}
	proof := &protorekor.InclusionProof{LogIndex: index, TreeSize: l.size, RootHash: head[:]}
	for _, h := range path {
		proof.Hashes = append(proof.Hashes, h[:])
	}
	checkpoint, err := l.checkpoint(l.size, head)
	proof.Checkpoint = &protorekor.Checkpoint{Envelope: checkpoint}
	return proof, err
}

// checkpoint is a signed note (https://c2sp.org/tlog-checkpoint) as Rekor
// signs it: ECDSA, known by the first bytes of the key's digest.
func (l *transparencyLog) checkpoint(size int64, head tlog.Hash) (string, error) {
	text := fmt.Sprintf("%s\n%d\n%s\n", l.origin, size, base64.StdEncoding.EncodeToString(head[:]))
	sig, err := l.sign([]byte(text))
	return fmt.Sprintf("%s\n\u2014 %s %s\n", text, l.name, base64.StdEncoding.EncodeToString(append(l.id()[:4:4], sig...))), err
}

// record is what a log is told of a signature.
type record struct {
	certificate []byte // DER
	signature   []byte
	payload     []byte // of the DSSE envelope
	envelope    []byte // the envelope itself
	digest      []byte // that was signed: of the artifact, or of the envelope's encoding
	dsse        bool
	key         bool // certificate is a public key
}

// entry adds a signature to a log, seen at this time.
func (l *transparencyLog) entry(generation Log, r record, at time.Time) (*protorekor.TransparencyLogEntry, error) {
	e := &protorekor.TransparencyLogEntry{LogId: &protocommon.LogId{KeyId: l.id()}, KindVersion: &protorekor.KindVersion{}}
	var body any
	block := "CERTIFICATE"
	if r.key {
		block = "PUBLIC KEY"
	}
	verifier := pem.EncodeToMemory(&pem.Block{Type: block, Bytes: r.certificate})
	hash := func(b []byte) any {
		sum := sha256.Sum256(b)
		return map[string]any{"algorithm": "sha256", "value": hex.EncodeToString(sum[:])}
	}
	switch {
	case generation == LogV2:
		e.KindVersion.Kind, e.KindVersion.Version = "hashedrekord", "0.0.2"
		body = map[string]any{"hashedRekordV002": map[string]any{
			"data": map[string]any{"algorithm": "SHA2_256", "digest": r.digest},
			"signature": map[string]any{"content": r.signature, "verifier": map[string]any{
				"keyDetails": "PKIX_ECDSA_P256_SHA_256", "x509Certificate": map[string]any{"rawBytes": r.certificate},
			}},
		}}
	case r.dsse:
		e.KindVersion.Kind, e.KindVersion.Version = "dsse", "0.0.1"
		body = map[string]any{
			"envelopeHash": hash(r.envelope), "payloadHash": hash(r.payload),
			"signatures": []any{map[string]any{"signature": r.signature, "verifier": verifier}},
		}
	default:
		e.KindVersion.Kind, e.KindVersion.Version = "hashedrekord", "0.0.1"
		body = map[string]any{
			"data":      map[string]any{"hash": map[string]any{"algorithm": "sha256", "value": hex.EncodeToString(r.digest)}},
			"signature": map[string]any{"content": r.signature, "publicKey": map[string]any{"content": verifier}},
		}
	}
	// Sorted members without spaces: canonical (RFC 8785) for what is ASCII.
	canonical, err := json.Marshal(map[string]any{"apiVersion": e.KindVersion.Version, "kind": e.KindVersion.Kind, "spec": body}, json.Deterministic(true))
	if err != nil {
		return nil, err
	}
	e.CanonicalizedBody = canonical
	if e.InclusionProof, err = l.add(canonical); err != nil {
		return nil, err
	}
	e.LogIndex = e.InclusionProof.LogIndex
	if generation == LogV2 {
		return e, nil
	}
	e.IntegratedTime = at.Unix()
	promise, err := l.promise(e)
	e.InclusionPromise = &protorekor.InclusionPromise{SignedEntryTimestamp: promise}
	return e, err
}

// promise is Rekor 1's signed entry timestamp.
func (l *transparencyLog) promise(e *protorekor.TransparencyLogEntry) ([]byte, error) {
	canonical, err := json.Marshal(map[string]any{
		"body": e.CanonicalizedBody, "integratedTime": e.IntegratedTime, "logID": hex.EncodeToString(e.LogId.KeyId), "logIndex": e.LogIndex,
	}, json.Deterministic(true))
	if err != nil {
		return nil, err
	}
	return l.sign(canonical)
}
