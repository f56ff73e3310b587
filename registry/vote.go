package registry

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/store"
)

const (
	voteByKey     = "key"
	voteBySession = "session"
)

// Vote records a reviewer's vote on the subject they looked at. With a bundle
// the vote is what the bundle says, signed by a registered reviewer; without
// one it is the API caller's and marked so.
func (s *Service) Vote(ctx context.Context, by audit.Origin, id, subject, value string, bundle []byte) (*admission.Vote, error) {
	if subject == "" {
		return nil, refuse(ErrInvalid, RefusedVote, "a vote names the subject that it is about")
	}
	var cast admission.Vote
	err := s.under(ctx, by.Caller, id, subject, func(v *version) error {
		if v.State != admission.InReview {
			return refuse(ErrConflict, RefusedState, "a version that is %s is not voted on", v.State)
		}
		cast = admission.Vote{Voter: by.Caller.Principal, Value: value, Kind: voteBySession, Subject: subject, At: s.Now().UTC()}
		var keyID string
		if bundle != nil {
			signed, key, err := s.signedVote(v, subject, bundle)
			if err != nil {
				return err
			}
			keyID = key
			cast.Voter, cast.Value, cast.Kind, cast.At = signed.Voter, signed.Decision, voteByKey, signed.At
			if cast.Bundle, err = s.put(ctx, bundle); err != nil {
				return err
			}
		} else if err := s.sessionVote(v, value); err != nil {
			return err
		}
		event := audit.Voted(s.change(by, v), audit.Vote{Decision: cast.Value, KeyID: keyID, Session: bundle == nil})
		if err := s.record(ctx, event); err != nil {
			return err
		}
		return s.tx(ctx, func(tx *sql.Tx) error {
			if err := refBlob(ctx, tx, v.Tenant, cast.Bundle, mediaBundle); err != nil {
				return err
			}
			// A key vote replaces a session vote of the same person, never the
			// other way round.
			_, err := tx.ExecContext(ctx, `INSERT INTO votes (tenant, name, version, subject, voter, value, kind, bundle, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
				ON CONFLICT (tenant, name, version, subject, voter) DO UPDATE SET value = excluded.value, kind = excluded.kind, bundle = excluded.bundle, at = excluded.at
				WHERE votes.kind = 'session' OR excluded.kind = 'key'`,
				v.Tenant, v.Name, v.Version.Version, subject, cast.Voter, cast.Value, cast.Kind, cast.Bundle, store.Millis(cast.At))
			return err
		})
	})
	return &cast, err
}

// signedVote verifies a vote bundle and that it is about this very version.
func (s *Service) signedVote(v *version, subject string, bundle []byte) (*approval.Vote, string, error) {
	trust, err := s.trust()
	if err != nil {
		return nil, "", err
	}
	vote, err := approval.VerifyVote(bundle, trust, subject)
	if err != nil {
		return nil, "", refuse(ErrInvalid, RefusedVote, "%s", hostText(err, approval.ErrSubject, approval.ErrRegistry, approval.ErrVote))
	}
	if vote.Tenant != v.Tenant || vote.Server != v.Name || vote.Version != v.Version.Version {
		return nil, "", refuse(ErrInvalid, RefusedVote, "the signed vote is about another version")
	}
	if vote.Voter == v.Publisher {
		return nil, "", refuse(ErrForbidden, RefusedSelf, "who published a version does not vote about it")
	}
	i := slices.IndexFunc(trust.Voters, func(r approval.Voter) bool { return r.Name == vote.Voter })
	if i < 0 || trust.Voters[i].Key == nil {
		return vote, "", nil
	}
	keyID := trust.Voters[i].Key.ID
	if slices.ContainsFunc(v.Signers, func(signer admission.Signer) bool { return signer.KeyID == keyID }) {
		return nil, "", refuse(ErrForbidden, RefusedSelf, "the key that signed the publication does not vote about it")
	}
	return vote, keyID, nil
}

// sessionVote checks that a vote without a key counts for something.
func (s *Service) sessionVote(v *version, value string) error {
	if value != approval.VoteApprove && value != approval.VoteReject {
		return refuse(ErrInvalid, RefusedVote, "a vote is approve or reject")
	}
	trust, err := s.trust()
	if err != nil {
		return err
	}
	if !trust.Tiers[v.Tier].SessionVotes && value == approval.VoteApprove {
		return refuse(ErrInvalid, RefusedVote, "the tier %s counts signed votes only: sign with a registered reviewer key", v.Tier)
	}
	return nil
}

func getVotes(ctx context.Context, tx *sql.Tx, v *version) ([]admission.Vote, error) {
	rows, err := tx.QueryContext(ctx, `SELECT subject, voter, value, kind, bundle, at FROM votes WHERE tenant = $1 AND name = $2 AND version = $3 ORDER BY at, voter`, v.Tenant, v.Name, v.Version.Version)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	votes := []admission.Vote{}
	for rows.Next() {
		var vote admission.Vote
		var at int64
		if err := rows.Scan(&vote.Subject, &vote.Voter, &vote.Value, &vote.Kind, &vote.Bundle, &at); err != nil {
			return nil, err
		}
		vote.At, vote.Stale = store.Time(at), vote.Subject != v.Subject
		votes = append(votes, vote)
	}
	return votes, rows.Err()
}

// ballots turns the votes on the present subject into what an approval embeds.
func (s *Service) ballots(ctx context.Context, votes []admission.Vote, p *approval.Predicate) error {
	for _, vote := range votes {
		switch {
		case vote.Stale:
		case vote.Kind == voteByKey:
			raw, err := s.get(ctx, vote.Bundle, attest.MaxBundle)
			if err != nil {
				return err
			}
			p.Votes = append(p.Votes, raw)
		case vote.Value == approval.VoteApprove:
			p.SessionVotes = append(p.SessionVotes, approval.SessionVote{Principal: vote.Voter, Subject: vote.Subject, At: vote.At.Truncate(time.Second)})
		}
	}
	return nil
}
