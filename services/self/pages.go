package self

import (
	"embed"
	"html/template"
	"io/fs"
	"path"

	"cairn/services/look"
)

//go:embed pages
var files embed.FS

//go:embed self.css
var css string

var styleElement, styleSource = look.Style(css)

// pages are the templates by their files' names, each within the frame.
var pages = parsePages()

func parsePages() map[string]*template.Template {
	frame := template.Must(template.New("frame.html").Funcs(template.FuncMap{
		"logo": func() template.HTML { return look.Logo },
	}).ParseFS(files, "pages/frame.html"))
	names, err := fs.Glob(files, "pages/*.html")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	all := map[string]*template.Template{}
	for _, name := range names {
		if base := path.Base(name); base != "frame.html" {
			all[base] = template.Must(template.Must(frame.Clone()).ParseFS(files, name))
		}
	}
	return all
}
