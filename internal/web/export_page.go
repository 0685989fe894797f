package web

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"regexp"
	"strings"
)

// copyPage is index.html with everything in it that it names. Its policy lets
// it run these scripts and no others, and load nothing.
func copyPage(assets map[string]*asset, c *savedCopy) ([]byte, error) {
	p := &onePage{assets: assets}
	page := regexp.MustCompile(`<link rel="preload"[^>]*>\n*`).ReplaceAllString(string(assets["/index.html"].data), "")
	page = regexp.MustCompile(`href="(/[^"]+\.svg)"`).ReplaceAllStringFunc(page, func(tag string) string {
		return `href="` + p.dataURL(between(tag, `"`, `"`)) + `"`
	})
	page = regexp.MustCompile(`<link rel="stylesheet" href="(/[^"]+)">`).ReplaceAllStringFunc(page, p.style)
	page = regexp.MustCompile(`<script([^>]*) src="(/[^"]+)"></script>`).ReplaceAllStringFunc(page, p.script)
	data, err := json.Marshal(c) // with < escaped: no name ends the element
	if err != nil {
		return nil, err
	}
	before, after, ok := strings.Cut(page, "</body>")
	head, rest, ok2 := strings.Cut(before, `<meta charset="utf-8">`)
	if !ok || !ok2 {
		p.err = errors.Join(p.err, errors.New("index.html has no body or no charset"))
	}
	policy := "default-src 'none'; script-src" + p.scripts + "; style-src" + p.styles + "; img-src data: blob:; font-src data:; connect-src data:; base-uri 'none'; form-action 'none'"
	var b strings.Builder
	b.WriteString(head + `<meta charset="utf-8">` + "\n" + `<meta http-equiv="Content-Security-Policy" content="` + policy + `">` + rest)
	b.WriteString(`<script type="application/json" id="saved">`)
	b.Write(data)
	b.WriteString("</script>\n")
	if n := assets["/NOTICES.txt"]; n != nil {
		b.WriteString("<template>" + html.EscapeString(string(n.data)) + "</template>\n")
	}
	b.WriteString("</body>" + after)
	return []byte(b.String()), p.err
}

// onePage puts what a page names into it.
type onePage struct {
	assets map[string]*asset
	// scripts and styles are the digests of what was put in, as in a policy.
	scripts, styles string
	err             error
}

// asset is a file of the page; without it the copy would not work.
func (p *onePage) asset(name string) *asset {
	if a := p.assets[name]; a != nil {
		return a
	}
	p.err = errors.Join(p.err, fmt.Errorf("the page has no file %s", name))
	return &asset{}
}

func (p *onePage) dataURL(name string) string {
	a := p.asset(name)
	return "data:" + a.kind + ";base64," + base64.StdEncoding.EncodeToString(a.data)
}

// style is a style sheet with its fonts.
func (p *onePage) style(tag string) string {
	css := string(p.asset(between(tag, `href="`, `"`)).data)
	css = regexp.MustCompile(`url\("?/[^)]*\)`).ReplaceAllStringFunc(css, func(u string) string {
		return "url(" + p.dataURL(strings.Trim(between(u, "url(", ")"), `"`)) + ")"
	})
	p.styles += digest(css)
	return "<style>" + p.text(css, "</style") + "</style>"
}

func (p *onePage) script(tag string) string {
	js := string(p.asset(between(tag, `src="`, `"`)).data)
	p.scripts += digest(js)
	return "<script" + between(tag, "<script", ` src=`) + ">" + p.text(js, "</script", "<!--") + "</script>"
}

// text makes sure that what is put into an element does not end it.
func (p *onePage) text(text string, ends ...string) string {
	for _, end := range ends {
		if strings.Contains(strings.ToLower(text), end) {
			p.err = errors.Join(p.err, fmt.Errorf("a file of the page has %s in it", end))
		}
	}
	return text
}

// digest is what allows a script or style in a policy.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func between(text, begin, end string) string {
	_, text, _ = strings.Cut(text, begin)
	text, _, _ = strings.Cut(text, end)
	return text
}
