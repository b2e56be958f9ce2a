package providers

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"strings"

	"golang.org/x/net/html/charset"
)

// elementText is the key of the text of an element that has attributes or
// children too.
const elementText = "#text"

// maxElements bounds how many elements and attributes an answer has.
const maxElements = 100_000

// isXML accepts the XML types; a missing type says nothing against it.
func isXML(contentType string) bool {
	if contentType == "" {
		return true
	}
	t, _, err := mime.ParseMediaType(contentType)
	return err == nil && (t == "application/xml" || t == "text/xml" || strings.HasSuffix(t, "+xml"))
}

// decodeXML reads one XML document into the shape of a JSON answer, so that one
// kind of path leads through both:
//
//	<a:Firm id="7"><Name>Acme</Name><Tag>x</Tag><Tag>y</Tag></a:Firm>
//	{"Firm": {"@id": "7", "Name": "Acme", "Tag": ["x", "y"]}}
//
// Names are local: prefixes and name spaces are the vendor's business. There
// are no entities but the five of XML itself: a document that declares any, or
// anything else of its own type, is refused before it is read on.
func decodeXML(b []byte, contentType string) (Object, error) {
	b, err := asUTF8(b, contentType)
	if err != nil {
		return nil, err
	}
	r := xmlReader{d: xml.NewDecoder(bytes.NewReader(b))}
	r.d.CharsetReader = charset.NewReaderLabel
	if contentTypeCharset(contentType) != "" { // which outweighs what the document says of itself
		r.d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	}
	start, err := r.begin()
	if err != nil {
		return nil, err
	}
	root, err := r.element(start, 1)
	if err != nil {
		return nil, err
	}
	if _, err := r.begin(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the body goes on after the XML document")
	}
	return Object{start.Name.Local: root}, nil
}

// contentTypeCharset is the encoding that the header names.
func contentTypeCharset(contentType string) string {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return ""
	}
	return strings.ToLower(params["charset"])
}

// asUTF8 obeys the encoding that the header names.
func asUTF8(b []byte, contentType string) ([]byte, error) {
	label := contentTypeCharset(contentType)
	if label == "" || label == "utf-8" || label == "us-ascii" {
		return b, nil
	}
	enc, _ := charset.Lookup(label)
	if enc == nil {
		return nil, errors.New("the body is in an encoding that nobody knows")
	}
	out, err := enc.NewDecoder().Bytes(b)
	if err != nil {
		return nil, errors.New("the body is not in the encoding that it names")
	}
	return out, nil
}

type xmlReader struct {
	d    *xml.Decoder
	seen int
}

var errNotXML = errors.New("the body is not valid XML")

// next is a token. The decoder's own words quote the body, which may echo the key.
func (r *xmlReader) next() (xml.Token, error) {
	t, err := r.d.Token()
	switch {
	case errors.Is(err, io.EOF):
		return nil, io.EOF
	case err != nil:
		return nil, errNotXML
	}
	if _, declares := t.(xml.Directive); declares {
		return nil, errors.New("the body declares a document type")
	}
	return t, nil
}

// begin skips to the first element; io.EOF when there is none.
func (r *xmlReader) begin() (xml.StartElement, error) {
	for {
		t, err := r.next()
		if err != nil {
			return xml.StartElement{}, err
		}
		switch x := t.(type) {
		case xml.StartElement:
			return x, nil
		case xml.CharData:
			if len(bytes.TrimSpace(x)) > 0 {
				return xml.StartElement{}, errNotXML
			}
		}
	}
}

// element reads what begins with start: a text, or an Object where it has
// attributes or children; nil where it says that it is nil.
func (r *xmlReader) element(start xml.StartElement, depth int) (any, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("the body is nested more than %d deep", maxNesting)
	}
	o := Object{}
	isNil, err := r.attributes(start, o)
	if err != nil {
		return nil, err
	}
	var said strings.Builder
	for {
		t, err := r.next()
		if err != nil {
			return nil, errOf(err)
		}
		switch x := t.(type) {
		case xml.CharData:
			said.Write(x)
		case xml.StartElement:
			child, err := r.element(x, depth+1)
			if err != nil {
				return nil, err
			}
			o.put(x.Name.Local, child)
		case xml.EndElement:
			text := strings.TrimSpace(said.String())
			switch {
			case isNil:
				return nil, nil //nolint:nilnil // as a JSON null
			case len(o) == 0:
				return text, nil
			case text != "":
				o[elementText] = text
			}
			return o, nil
		}
	}
}

// errOf is an error inside an element, which may not end there.
func errOf(err error) error {
	if errors.Is(err, io.EOF) {
		return errNotXML
	}
	return err
}

// attributes reads those of an element, but for declarations of name spaces.
func (r *xmlReader) attributes(start xml.StartElement, o Object) (isNil bool, err error) {
	if r.seen += 1 + len(start.Attr); r.seen > maxElements {
		return false, fmt.Errorf("the body has more than %d elements", maxElements)
	}
	seen := map[xml.Name]bool{}
	for _, a := range start.Attr {
		if seen[a.Name] {
			return false, errNotXML
		}
		seen[a.Name] = true
		switch {
		case a.Name.Space == "xmlns" || a.Name.Local == "xmlns":
		case a.Name.Local == "nil" && strings.HasSuffix(a.Name.Space, "XMLSchema-instance"):
			isNil = a.Value == "true" || a.Value == "1"
		default:
			o["@"+a.Name.Local] = a.Value
		}
	}
	return isNil, nil
}

// put adds a child; several of one name are a list.
func (o Object) put(name string, child any) {
	before, was := o[name]
	list, isList := before.([]any)
	switch {
	case !was:
		o[name] = child
	case isList:
		o[name] = append(list, child)
	default:
		o[name] = []any{before, child}
	}
}
