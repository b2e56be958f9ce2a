package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
)

//go:embed static templates
var embedded embed.FS

// assetTypes are the kinds of file that are served; another one, such as a
// licence kept beside what it licenses, is not.
var assetTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

type asset struct {
	body    []byte
	kind    string
	version string // the beginning of the body's hash: a new body has a new address
}

type assets map[string]asset

func loadAssets() (assets, error) {
	files, err := fs.ReadDir(embedded, "static")
	if err != nil {
		return nil, fmt.Errorf("web: assets: %w", err)
	}
	all := assets{}
	for _, f := range files {
		kind, ok := assetTypes[path.Ext(f.Name())]
		if !ok {
			continue
		}
		body, err := embedded.ReadFile("static/" + f.Name())
		if err != nil {
			return nil, fmt.Errorf("web: assets: %w", err)
		}
		sum := sha256.Sum256(body)
		all[f.Name()] = asset{body, kind, hex.EncodeToString(sum[:6])}
	}
	return all, nil
}

// address is where a page finds the file; a name that does not exist fails the page.
func (a assets) address(name string) (string, error) {
	f, ok := a[name]
	if !ok {
		return "", fmt.Errorf("web: no asset %q", name)
	}
	return "/static/" + name + "?v=" + f.version, nil
}

// serve sends a file; with its version in the address it may be kept for good.
func (a assets) serve(w http.ResponseWriter, r *http.Request) {
	f, ok := a[r.PathValue("file")]
	if !ok {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", "no-cache")
	if r.URL.Query().Get("v") == f.version {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	h.Set("ETag", `"`+f.version+`"`)
	if r.Header.Get("If-None-Match") == `"`+f.version+`"` {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(f.body) // the other end went away: nobody to tell
}
