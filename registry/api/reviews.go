package api

import (
	"net/http"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/registryapi"
)

func (a *api) listReviews(q *call) error {
	wanted, err := states(q, admission.InReview)
	if err != nil {
		return err
	}
	all, err := a.service.Reviews(q.ctx, q.tenant(), wanted...)
	if err != nil {
		return err
	}
	return q.answer(http.StatusOK, registryapi.Reviews{Reviews: all})
}

func (a *api) getReview(q *call) error {
	r, err := a.service.Review(q.ctx, q.tenant(), q.Param("id"))
	if err != nil {
		return err
	}
	return q.review(http.StatusOK, r)
}

// review answers with the subject as entity tag, which votes and decisions
// send back in If-Match.
func (q *call) review(status int, r *admission.Review) error {
	q.Header("ETag", `"`+r.Subject+`"`)
	return q.answer(status, r)
}

func (a *api) answerItem(q *call) error {
	var body registryapi.Answer
	if err := q.read(&body); err != nil {
		return err
	}
	item, err := a.service.Answer(q.ctx, q.by, q.Param("id"), q.Param("code"), body.Result, body.Note, body.Expires)
	if err != nil {
		return err
	}
	return q.answer(http.StatusOK, item)
}

func (a *api) vote(q *call) error {
	subject, err := q.subject(true)
	if err != nil {
		return err
	}
	var body registryapi.Ballot
	if err := q.read(&body); err != nil {
		return err
	}
	vote, err := a.service.Vote(q.ctx, q.by, q.Param("id"), subject, body.Value, body.Bundle)
	if err != nil {
		return err
	}
	return q.answer(http.StatusCreated, vote)
}

func (a *api) waive(q *call) error {
	subject, err := q.subject(true)
	if err != nil {
		return err
	}
	var body registryapi.NewWaiver
	if err := q.read(&body); err != nil {
		return err
	}
	r, err := a.service.Waive(q.ctx, q.by, q.Param("id"), subject, admission.Waiver{Rule: body.Rule, Pointer: body.Pointer, Leaf: body.Leaf, Reason: body.Reason, Expires: body.Expires})
	if err != nil {
		return err
	}
	return q.review(http.StatusCreated, r)
}

func (a *api) approve(q *call) error {
	subject, err := q.subject(true)
	if err != nil {
		return err
	}
	v, err := a.service.Approve(q.ctx, q.by, q.Param("id"), subject)
	if err != nil {
		return err
	}
	return q.answer(http.StatusOK, v)
}

func (a *api) reject(q *call) error {
	subject, err := q.subject(true)
	if err != nil {
		return err
	}
	var body registryapi.Because
	if err := q.read(&body); err != nil {
		return err
	}
	v, err := a.service.Reject(q.ctx, q.by, q.Param("id"), subject, body.Reason)
	if err != nil {
		return err
	}
	return q.answer(http.StatusOK, v)
}
