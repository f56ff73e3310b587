package attest

import (
	"errors"
	"fmt"
)

// Reason says in one stable word why a bundle is refused (docs/signatures.md).
// The list is closed; what an error says beside it is for people.
type Reason string

// The reasons. Of several that apply the first is given.
const (
	ReasonNoSigner       Reason = "no_signer"             // the policy names nobody
	ReasonTooLarge       Reason = "too_large"             // beyond a documented bound
	ReasonMalformed      Reason = "bundle_malformed"      // no well-formed bundle
	ReasonVersion        Reason = "bundle_version"        // a media type that nobody here reads
	ReasonContent        Reason = "content_type"          // no envelope where one is needed, or no in-toto payload
	ReasonSignatureCount Reason = "signature_count"       // not exactly one signature
	ReasonStatement      Reason = "statement_malformed"   // no well-formed in-toto statement
	ReasonPredicate      Reason = "predicate_malformed"   // the predicate is not what its type promises
	ReasonSignerKind     Reason = "signer_kind"           // a key where certificates count, or the other way round
	ReasonKey            Reason = "key_unknown"           // signed by none of the keys
	ReasonNoRoot         Reason = "no_trusted_root"       // certificates, but nothing to check them against
	ReasonSignature      Reason = "signature_invalid"     // the signature is not over this content by this certificate
	ReasonLogMissing     Reason = "log_entry_missing"     // in no log that the root lists
	ReasonLogInvalid     Reason = "log_entry_invalid"     // promise, proof, checkpoint or content of the entry is wrong
	ReasonLogExpired     Reason = "log_key_expired"       // the log's key was not valid when it signed
	ReasonTimeMissing    Reason = "time_missing"          // nobody whom the root lists says when it was signed
	ReasonTimesDisagree  Reason = "times_disagree"        // several say so, and not the same
	ReasonCertificate    Reason = "certificate_untrusted" // by no authority of the root
	ReasonCertTime       Reason = "certificate_time"      // signed before the certificate began or after it ended
	ReasonRootExpired    Reason = "root_expired"          // signed when the authority was no longer, or not yet, trusted
	ReasonUnlogged       Reason = "certificate_unlogged"  // the certificate is in no certificate log of the root
	ReasonIssuer         Reason = "issuer_mismatch"       // another identity provider
	ReasonIdentity       Reason = "identity_mismatch"     // somebody who may not sign
	ReasonSource         Reason = "source_mismatch"       // built from another repository, or it does not say
	ReasonBuilder        Reason = "builder_mismatch"      // built by another builder, or it does not say
	ReasonContradiction  Reason = "provenance_contradicts_certificate"
	ReasonWeakDigest     Reason = "digest_weak"      // the subject bears no digest that counts
	ReasonDigest         Reason = "digest_mismatch"  // about other bytes
	ReasonUnverified     Reason = "bundle_unusable"  // verification failed in a way that has no word of its own
	ReasonSubject        Reason = "subject_mismatch" // about the same bytes, as another package, version or server
	ReasonPredicateType  Reason = "predicate_type"   // a statement of a kind that admits nothing here
)

// Reasons lists all of them, in the order in which they are looked for.
func Reasons() []Reason {
	return []Reason{
		ReasonNoSigner, ReasonTooLarge, ReasonMalformed, ReasonVersion, ReasonContent, ReasonSignatureCount, ReasonStatement, ReasonPredicate,
		ReasonSignerKind, ReasonKey, ReasonNoRoot, ReasonSignature, ReasonCertificate, ReasonLogMissing, ReasonLogInvalid, ReasonLogExpired,
		ReasonTimeMissing, ReasonTimesDisagree, ReasonCertTime, ReasonRootExpired, ReasonUnlogged, ReasonUnverified, ReasonIssuer, ReasonIdentity,
		ReasonSource, ReasonBuilder, ReasonContradiction, ReasonWeakDigest, ReasonDigest, ReasonSubject, ReasonPredicateType,
	}
}

// refusal is an error with a reason. It wraps a sentinel of this package.
type refusal struct {
	reason Reason
	err    error
}

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// Refuse makes the refusal of a reader that knows what the statement should be
// about.
func Refuse(reason Reason, format string, args ...any) error {
	return refuse(reason, ErrSubject, format, args...)
}

func refuse(reason Reason, sentinel error, format string, args ...any) error {
	return &refusal{reason, fmt.Errorf("%w: %s: %w", sentinel, reason, fmt.Errorf(format, args...))}
}

// ReasonOf returns why an error of this package refuses a bundle, "" if the
// error is none of a bundle's.
func ReasonOf(err error) Reason {
	var r *refusal
	if errors.As(err, &r) {
		return r.reason
	}
	for _, general := range []struct {
		sentinel error
		reason   Reason
	}{
		{ErrTooLarge, ReasonTooLarge}, {ErrBundle, ReasonMalformed}, {ErrContent, ReasonContent}, {ErrStatement, ReasonStatement},
		{ErrSubject, ReasonDigest}, {ErrIdentity, ReasonIdentity}, {ErrNoPolicy, ReasonNoSigner}, {ErrTrustedRoot, ReasonNoRoot}, {ErrUnverified, ReasonUnverified},
	} {
		if errors.Is(err, general.sentinel) {
			return general.reason
		}
	}
	return ""
}
