package crmfake

import (
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// selection is one name of a GraphQL query, with what is asked of it.
type selection struct {
	name string
	args map[string]string // as written: $f, 60
	of   []*selection
}

// find is the selection of a name below another.
func (s *selection) find(names ...string) *selection {
	for _, name := range names {
		var next *selection
		for _, kid := range s.of {
			if kid.name == name {
				next = kid
			}
		}
		if next == nil {
			return &selection{}
		}
		s = next
	}
	return s
}

// token is a name, a variable, a number or a sign.
var token = regexp.MustCompile(`\$?[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[{}():,!\[\]=]`)

// parseQuery reads a query with one root field: all that galena sends.
func parseQuery(text string) (*selection, error) {
	tokens := token.FindAllString(text, -1)
	if len(tokens) > 0 && tokens[0] == "query" {
		for tokens = tokens[1:]; len(tokens) > 0 && tokens[0] != "{"; {
			tokens = tokens[1:]
		}
	}
	if len(tokens) == 0 || tokens[0] != "{" {
		return nil, errors.New("unexpected name")
	}
	root := &selection{}
	rest, err := root.read(tokens[1:])
	if err != nil || len(rest) > 0 || len(root.of) != 1 {
		return nil, errors.New("expected name, found <EOF>")
	}
	return root.of[0], nil
}

// read takes the names up to the closing brace.
func (s *selection) read(tokens []string) ([]string, error) {
	for len(tokens) > 0 && tokens[0] != "}" {
		kid := &selection{name: tokens[0], args: map[string]string{}}
		tokens = tokens[1:]
		if len(tokens) > 0 && tokens[0] == "(" {
			for tokens = tokens[1:]; len(tokens) > 3 && tokens[0] != ")"; {
				kid.args[tokens[0]] = tokens[2]
				if tokens = tokens[3:]; tokens[0] == "," {
					tokens = tokens[1:]
				}
			}
			if len(tokens) == 0 {
				return nil, errors.New("open arguments")
			}
			tokens = tokens[1:]
		}
		if len(tokens) > 0 && tokens[0] == "{" {
			var err error
			if tokens, err = kid.read(tokens[1:]); err != nil {
				return nil, err
			}
		}
		s.of = append(s.of, kid)
	}
	if len(tokens) == 0 {
		return nil, errors.New("open braces")
	}
	return tokens[1:], nil
}

// parseGraph reads a question for a page of records. What fails is refused with
// status 200, as every failure of GraphQL is.
func (twenty) parseGraph(r *http.Request, body object) (call, *refusal) {
	query, ok := body["query"].(string)
	if r.Method != http.MethodPost || !ok {
		return call{}, &refusal{why: misunderstood, text: "Batching is not supported."}
	}
	root, err := parseQuery(query)
	if err != nil {
		return call{}, &refusal{why: misunderstood, text: "Syntax Error: " + err.Error()}
	}
	o, known := twentyNamed(root.name)
	if !known {
		return call{}, &refusal{why: misunderstood, text: "Cannot query field \"" + root.name + "\" on type \"Query\"."}
	}
	variables, _ := body["variables"].(object)
	given := func(arg string) any {
		if name, ok := strings.CutPrefix(root.args[arg], "$"); ok {
			return variables[name]
		}
		return root.args[arg]
	}
	c := call{op: search, object: o, graph: root, limit: twentyUsual, after: cursorID(plain(given("after"))), filter: &filter{op: "and"}}
	if n, err := strconv.Atoi(plain(given("first"))); err == nil && n > 0 {
		c.limit = min(n, twentyPage)
	}
	if in, ok := given("filter").(object); ok {
		if c.filter, err = filterOfGraph("", in); err != nil {
			return c, &refusal{why: misunderstood, text: err.Error()}
		}
	}
	return c, nil
}

// replyGraph shows what was selected; what a record has not got is null.
func (twenty) replyGraph(c call, n twentyObject, shown []any, info object) answer {
	node := c.graph.find("edges", "node")
	edges := make([]any, len(shown))
	for i, it := range shown {
		rec, _ := it.(object)
		edges[i] = object{"node": node.pick(rec), "cursor": cursorOf(plain(rec["id"]))}
	}
	return answer{status: http.StatusOK, body: object{"data": object{n.many: object{
		"totalCount": len(shown), "pageInfo": c.graph.find("pageInfo").pick(info), "edges": edges}}}}
}

func (s *selection) pick(rec object) object {
	out := object{}
	for _, kid := range s.of {
		v := rec[kid.name]
		if in, ok := v.(object); ok {
			v = kid.pick(in)
		}
		out[kid.name] = v
	}
	return out
}

// refuseGraph is a refusal as GraphQL tells it.
func refuseGraph(f refusal, message string) answer {
	codes := map[why][2]string{
		noToken: {"", ""}, badToken: {"UNAUTHENTICATED", "UNAUTHENTICATED"}, tooFast: {"BAD_USER_INPUT", "LIMIT_REACHED"},
		away: {"INTERNAL_SERVER_ERROR", ""}, spent: {"BAD_USER_INPUT", "quota"}, missing: {"NOT_FOUND", "RECORD_NOT_FOUND"},
		duplicate: {"BAD_USER_INPUT", ""}, misunderstood: {"GRAPHQL_VALIDATION_FAILED", ""},
	}
	if f.why == noToken {
		message = "Cannot query field \"companies\" on type \"Query\"."
	}
	extensions := object{}
	if code := codes[f.why]; code[0] != "" {
		if extensions["code"] = code[0]; code[1] != "" {
			extensions["subCode"] = code[1]
		}
	}
	if f.why == duplicate {
		extensions["conflictingRecordId"] = f.id
	}
	return answer{status: http.StatusOK, body: object{"data": nil, "errors": []any{object{"message": message, "extensions": extensions}}}}
}
