package api

import (
	"net/http"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/registryapi"
	"github.com/bartizan-mcp/bartizan/registry"
)

func (a *api) listKeys(q *call) error {
	keys, err := a.service.Keys(q.ctx, q.tenant())
	if err != nil {
		return err
	}
	return q.answer(http.StatusOK, registryapi.Keys{Keys: keys})
}

func (a *api) issueKey(q *call) error {
	var body registryapi.NewKey
	if err := q.read(&body); err != nil {
		return err
	}
	if body.Days < 0 || body.Days > int(identity.MaxLifetime/(24*time.Hour)) {
		return refusal(http.StatusUnprocessableEntity, registry.RefusedKey, "a key lives 1 to 366 days")
	}
	token, key, err := a.service.IssueKey(q.ctx, q.by, identity.KeySpec{
		Principal: body.Principal, Kind: body.Kind, Roles: body.Roles, Namespaces: body.Namespaces, Attributes: body.Attributes, Lifetime: time.Duration(body.Days) * 24 * time.Hour,
	})
	if err != nil {
		return err
	}
	return q.answer(http.StatusCreated, registryapi.IssuedKey{Token: token, Key: *key})
}

func (a *api) revokeKey(q *call) error {
	key, err := a.service.RevokeKey(q.ctx, q.by, q.Param("id"))
	if err != nil {
		return err
	}
	return q.answer(http.StatusOK, key)
}

func (a *api) listSigners(q *call) error {
	signers, err := a.service.Signers(q.ctx, q.tenant(), q.Param("namespace"))
	if err != nil {
		return err
	}
	return q.answer(http.StatusOK, registryapi.Signers{Signers: signers})
}

func (a *api) addSigner(q *call) error {
	var body registryapi.NewSigner
	if err := q.read(&body); err != nil {
		return err
	}
	signer, err := a.service.AddSigner(q.ctx, q.by, admission.NamespaceSigner{Namespace: q.Param("namespace"), PublicKey: body.PublicKey, Issuer: body.Issuer, SubjectLike: body.SubjectPattern, SourceRepository: body.SourceRepository, Builder: body.Builder})
	if err != nil {
		return err
	}
	return q.answer(http.StatusCreated, signer)
}

func (a *api) removeSigner(q *call) error {
	if err := a.service.RemoveSigner(q.ctx, q.by, q.Param("namespace"), q.Param("id")); err != nil {
		return err
	}
	q.Status(http.StatusNoContent)
	q.Writer.WriteHeaderNow()
	return nil
}
