package unipi

import (
	"bytes"
	"path"
	"strings"
	"unicode/utf8"
)

// types maps a file's extension to its media type. It is a table of our own,
// so that a site looks the same on every host.
var types = map[string]string{
	"html": "text/html", "htm": "text/html", "xhtml": "application/xhtml+xml",
	"css": "text/css", "js": "text/javascript", "mjs": "text/javascript", "cjs": "text/javascript",
	"json": "application/json", "map": "application/json", "jsonld": "application/ld+json", "geojson": "application/geo+json",
	"webmanifest": "application/manifest+json", "topojson": "application/json", "har": "application/json",
	"xml": "application/xml", "xsl": "application/xml", "xslt": "application/xml", "dtd": "application/xml-dtd",
	"rss": "application/rss+xml", "atom": "application/atom+xml", "kml": "application/vnd.google-earth.kml+xml", "gpx": "application/gpx+xml",
	"txt": "text/plain", "text": "text/plain", "log": "text/plain", "asc": "text/plain", "conf": "text/plain", "ini": "text/plain", "toml": "application/toml",
	"md": "text/markdown", "markdown": "text/markdown", "csv": "text/csv", "tsv": "text/tab-separated-values",
	"ics": "text/calendar", "vcf": "text/vcard", "vtt": "text/vtt", "yaml": "application/yaml", "yml": "application/yaml",
	"rst": "text/plain", "patch": "text/x-diff", "diff": "text/x-diff",
	"c": "text/plain", "h": "text/plain", "cc": "text/plain", "cpp": "text/plain", "hpp": "text/plain", "go": "text/plain", "py": "text/plain",
	"rs": "text/plain", "java": "text/plain", "rb": "text/plain", "pl": "text/plain", "sh": "text/plain", "lua": "text/plain", "sql": "text/plain",

	"svg": "image/svg+xml", "png": "image/png", "apng": "image/apng", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif",
	"webp": "image/webp", "avif": "image/avif", "ico": "image/vnd.microsoft.icon", "bmp": "image/bmp", "tif": "image/tiff", "tiff": "image/tiff",
	"jxl": "image/jxl", "heic": "image/heic",
	"woff": "font/woff", "woff2": "font/woff2", "ttf": "font/ttf", "otf": "font/otf", "eot": "application/vnd.ms-fontobject",
	"mp3": "audio/mpeg", "m4a": "audio/mp4", "aac": "audio/aac", "ogg": "audio/ogg", "oga": "audio/ogg", "opus": "audio/ogg", "wav": "audio/wav",
	"flac": "audio/flac", "weba": "audio/webm", "mid": "audio/midi",
	"mp4": "video/mp4", "m4v": "video/mp4", "webm": "video/webm", "ogv": "video/ogg", "mov": "video/quicktime", "avi": "video/x-msvideo", "mkv": "video/matroska",
	"m3u8": "application/vnd.apple.mpegurl", "mpd": "application/dash+xml",
	"pdf": "application/pdf", "ps": "application/postscript", "eps": "application/postscript", "rtf": "application/rtf", "epub": "application/epub+zip",
	"doc":  "application/msword",
	"docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	"xls":  "application/vnd.ms-excel",
	"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	"ppt":  "application/vnd.ms-powerpoint",
	"pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	"odt":  "application/vnd.oasis.opendocument.text",
	"ods":  "application/vnd.oasis.opendocument.spreadsheet",
	"odp":  "application/vnd.oasis.opendocument.presentation",
	"wasm": "application/wasm", "zip": "application/zip", "gz": "application/gzip", "tgz": "application/gzip", "bz2": "application/x-bzip2",
	"xz": "application/x-xz", "zst": "application/zstd", "br": "application/octet-stream", "tar": "application/x-tar", "7z": "application/x-7z-compressed",
	"jar": "application/java-archive", "deb": "application/vnd.debian.binary-package", "apk": "application/vnd.android.package-archive",
	"iso": "application/octet-stream", "dmg": "application/octet-stream", "exe": "application/octet-stream", "bin": "application/octet-stream",
	"glb": "model/gltf-binary", "gltf": "model/gltf+json", "stl": "model/stl", "swf": "application/x-shockwave-flash",
	"torrent": "application/x-bittorrent", "sig": "application/pgp-signature", "inv": "application/octet-stream",
}

// textual lists the types outside of text/ that are text: they compress well.
// Those whose value is true also take a charset.
var textual = map[string]bool{
	"application/json": false, "application/ld+json": false, "application/geo+json": false, "application/manifest+json": true,
	"application/xml": true, "application/xhtml+xml": true, "application/xml-dtd": true, "application/rss+xml": true, "application/atom+xml": true,
	"application/vnd.google-earth.kml+xml": true, "application/gpx+xml": true, "application/toml": true, "application/yaml": true,
	"image/svg+xml": true, "model/gltf+json": false, "application/dash+xml": true, "application/vnd.apple.mpegurl": true,
	"application/rtf": false, "application/postscript": false,
}

// squeezable lists binary types that compression still makes smaller.
var squeezable = map[string]bool{
	"application/wasm": true, "font/ttf": true, "font/otf": true, "application/vnd.ms-fontobject": true,
	"image/bmp": true, "image/vnd.microsoft.icon": true, "model/stl": true,
}

// extension returns the lower-case extension of a path without its dot.
func extension(name string) string {
	return strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
}

// mediaType returns the Content-Type of a file and whether compressing it is
// worth while. content is the file or, where whole is false, its beginning. A
// charset is named only where the content is valid UTF-8, because the header
// overrides what a page says about itself.
func mediaType(name string, content []byte, whole bool) (contentType string, compressible bool) {
	t, known := types[extension(name)]
	if !known {
		t = "application/octet-stream"
		if looksLikeText(content) {
			t = "text/plain"
		}
	}
	charset, isTextual := textual[t]
	isText := strings.HasPrefix(t, "text/")
	if (isText || charset) && (whole && utf8.Valid(content) || !whole && validPrefix(content)) {
		return t + "; charset=utf-8", true
	}
	return t, isText || isTextual || squeezable[t]
}

// sampleBytes is how much of a file is looked at to guess what it is.
const sampleBytes = 4 << 10

// looksLikeText reports whether content may be shown as text: UTF-8 without
// control characters but white space.
func looksLikeText(content []byte) bool {
	content = content[:min(len(content), sampleBytes)]
	return validPrefix(content) && !bytes.ContainsFunc(content, func(r rune) bool {
		return r < ' ' && !strings.ContainsRune("\t\n\r\f", r) || r == 0x7f
	})
}

// validPrefix reports whether b is UTF-8 but for a character that its end cuts.
func validPrefix(b []byte) bool {
	for cut := 0; cut < utf8.UTFMax && cut <= len(b); cut++ {
		if utf8.Valid(b[:len(b)-cut]) {
			return cut == 0 || !utf8.FullRune(b[len(b)-cut:])
		}
	}
	return false
}
