package self

import (
	"fmt"
	"html/template"
	"strings"

	"rsc.io/qr"
)

// quiet is how many modules of white a QR code has around it (ISO/IEC 18004 §6.3.8).
const quiet = 4

// qrCode draws a text as a QR code, what says what is in it: black on white, whatever colours the page has.
func qrCode(text, what string) (template.HTML, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", fmt.Errorf("QR code of %d bytes: %w", len(text), err)
	}
	var path strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			from := x
			for code.Black(x, y) {
				x++
			}
			if n := x - from; n > 0 {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", from+quiet, y+quiet, n, n)
			}
		}
	}
	size := code.Size + 2*quiet
	return template.HTML(fmt.Sprintf(`<svg class="qr" role="img" aria-label="QR code with %s" viewBox="0 0 %d %d" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%dv%dh-%dz"/><path fill="#000" d="%s"/></svg>`,
		template.HTMLEscapeString(what), size, size, size, size, size, path.String())), nil
}
