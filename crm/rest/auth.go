package rest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
)

// The settings that hold secrets, behind GALENA_CRM_<ID>_.
const (
	settingToken        = "TOKEN"
	settingUser         = "USER"
	settingPassword     = "PASSWORD"
	settingClientID     = "CLIENT_ID"
	settingClientSecret = "CLIENT_SECRET"
	settingRefresh      = "REFRESH_TOKEN"
)

// early is how long before its end an access token is replaced.
const early = time.Minute

// keyring holds what calls are authorized with. The lock is held while a token
// is fetched, so that many calls fetch one.
type keyring struct {
	Auth
	client *http.Client
	secret func(setting string) (string, error)
	now    func() time.Time
	op     string

	mu      sync.Mutex
	token   string // as it is sent
	until   time.Time
	refresh string // one that the CRM gave in place of ours
}

// Settings names the secrets that a style needs.
func (a Auth) Settings() []string {
	switch a.Style {
	case styleNone:
		return nil
	case styleBasic:
		return []string{settingUser, settingPassword}
	case styleRefresh:
		return []string{settingClientID, settingClientSecret, settingRefresh}
	case styleClient:
		return []string{settingClientID, settingClientSecret}
	default:
		return []string{settingToken}
	}
}

// give returns the token in force, and fetches one when there is none. Refused
// is one that was just turned away; the same one is not given again.
func (k *keyring) give(ctx context.Context, refused string) (string, error) {
	if k.Style == styleNone {
		return "", nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	fresh := k.until.IsZero() || k.now().Before(k.until)
	if k.token != "" && k.token != refused && fresh {
		return k.token, nil
	}
	var err error
	switch k.Style {
	case styleRefresh, styleClient:
		err = k.fetch(ctx)
	case styleBasic:
		var user, password string
		if user, err = k.setting(settingUser); err == nil {
			password, err = k.setting(settingPassword)
			k.token = user + ":" + password
		}
	default:
		k.token, err = k.setting(settingToken)
	}
	if err != nil {
		k.token = ""
		return "", err
	}
	if k.token == refused {
		return "", galena.Errorf(galena.Unauthorized, k.op, "the token is refused: it expired, was regenerated or lacks a permission")
	}
	return k.token, nil
}

// setting reads a secret anew.
func (k *keyring) setting(name string) (string, error) {
	s, err := k.secret(name)
	if err != nil || s == "" {
		return "", galena.Errorf(galena.Unauthorized, k.op, "%s is not set or cannot be read", name)
	}
	return s, nil
}

// fetch asks the token endpoint.
func (k *keyring) fetch(ctx context.Context) error {
	id, err := k.setting(settingClientID)
	if err != nil {
		return err
	}
	secret, err := k.setting(settingClientSecret)
	if err != nil {
		return err
	}
	form := url.Values{"grant_type": {"client_credentials"}}
	if k.Style == styleRefresh {
		refresh := k.refresh
		if refresh == "" {
			if refresh, err = k.setting(settingRefresh); err != nil {
				return err
			}
		}
		form = url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}}
	}
	if k.Scope != "" {
		form.Set("scope", k.Scope)
	}
	if k.ClientAuth != "basic" {
		form.Set("client_id", id)
		form.Set("client_secret", secret)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, k.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return galena.Errorf(galena.Invalid, k.op, "the address of the token endpoint is not valid")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if k.ClientAuth == "basic" {
		req.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	}
	return k.exchange(req)
}

// exchange keeps what the token endpoint answers.
func (k *keyring) exchange(req *http.Request) error {
	resp, err := k.client.Do(req)
	if err != nil {
		return crm.ExchangeError(k.op, err)
	}
	defer resp.Body.Close()
	var got struct {
		Access  string      `json:"access_token"`
		Refresh string      `json:"refresh_token"`
		Expires json.Number `json:"expires_in"`
	}
	err = json.NewDecoder(io.LimitReader(resp.Body, maxBody)).Decode(&got)
	switch status := resp.StatusCode; {
	case status == http.StatusTooManyRequests:
		return &galena.Error{Kind: galena.RateLimited, Op: k.op, RetryAfter: crm.RetryAfter(resp.Header.Get("Retry-After"), k.now()),
			Err: errors.New("the token endpoint is asked too often")}
	case status >= http.StatusInternalServerError:
		return galena.Errorf(galena.Unavailable, k.op, "the token endpoint: status %d", status)
	case status != http.StatusOK:
		k.refresh = "" // the next try takes the one that was set
		return galena.Errorf(galena.Unauthorized, k.op, "the token endpoint: status %d", status)
	case err != nil || got.Access == "":
		return galena.Errorf(galena.Malformed, k.op, "the token endpoint gave no token")
	}
	k.token, k.until = got.Access, time.Time{}
	if got.Refresh != "" {
		k.refresh = got.Refresh
	}
	if n, err := got.Expires.Int64(); err == nil && n > 0 {
		life := time.Duration(n) * time.Second
		k.until = k.now().Add(life - min(early, life/2))
	}
	return nil
}

// sign puts the token where the style wants it.
func (a Auth) sign(req *http.Request, token string) {
	switch a.Style {
	case styleBearer, styleRefresh, styleClient:
		req.Header.Set("Authorization", "Bearer "+token)
	case styleHeader:
		req.Header.Set(a.Name, a.Prefix+token)
	case styleBasic:
		user, password, _ := strings.Cut(token, ":")
		req.SetBasicAuth(user, password)
	case styleQuery:
		q := req.URL.Query()
		q.Set(a.Name, token)
		req.URL.RawQuery = q.Encode()
	}
}
