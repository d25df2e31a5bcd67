package image

import (
	"context"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"cairn/bench/measure"
	deploy "cairn/deploy/image"
)

// A part is one of what Debian runs a website from git with.
type part struct {
	name string
	// programs builds or fetches it in a folder, and returns files with debugging information.
	programs func(ctx context.Context, b *bench, dir string) ([]string, error)
}

var parts = []part{
	{"Debian's kernel image", kernelPrograms},
	{"libc", libcPrograms},
	{"OpenSSL", fromSource("openssl", "./Configure linux-x86_64 shared no-tests no-ssl3 no-idea no-mdc2 no-rc5 no-zlib enable-rfc3779 -g && make -s -j2 build_libs", "libcrypto.so.3", "libssl.so.3")},
	{"nginx", fromSource("nginx", "./configure --with-cc-opt='-g -O2' --with-http_ssl_module --with-http_v2_module --with-threads --without-http_rewrite_module && make -s -j2", "objs/nginx")},
	{"git", fromSource("git", "make -s -j2 CFLAGS='-g -O2' NO_CURL=1 NO_EXPAT=1 NO_GETTEXT=1 NO_TCLTK=1 NO_PERL=1 NO_PYTHON=1 git git-daemon", "git", "git-daemon")},
}

// lines counts the lines of source that became instructions: of the image, as `cairn image
// inspect` does, and of what a Debian would have in its place. Both come from what the
// compilers wrote down: Go's function table, DWARF's line tables.
func (b *bench) lines(ctx context.Context, dir string, size int) error {
	ours, err := imageLines(b.unipi)
	if err != nil {
		return err
	}
	sum := 0.0
	for _, p := range parts {
		n, err := b.partLines(ctx, filepath.Join(dir, p.name), p)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		sum += n
		b.room.Add(measure.Result{Work: "lines of code in the image", Size: size, Unit: measure.Lines, Ours: []float64{ours}, Peer: []float64{n}, Tool: p.name})
	}
	b.room.Add(measure.Result{
		Work: "lines of code in the image", Size: size, Unit: measure.Lines,
		Ours: []float64{ours}, Peer: []float64{sum}, Tool: "all of that", Goal: measure.Goal{Ratio: 0.04},
	})
	return nil
}

// imageLines are those of an image.
func imageLines(file string) (float64, error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	info, err := deploy.Inspect(f, st.Size())
	if err != nil {
		return 0, err
	}
	sum := 0
	for _, p := range info.Packages {
		sum += p.Lines
	}
	return float64(sum), nil
}

func (b *bench) partLines(ctx context.Context, dir string, p part) (float64, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return 0, err
	}
	programs, err := p.programs(ctx, b, dir)
	if err != nil {
		return 0, err
	}
	lines := map[line]bool{}
	for _, program := range programs {
		if err := sourceLines(lines, program); err != nil {
			return 0, err
		}
	}
	return float64(len(lines)), nil
}

// kernelPrograms are the kernel and the modules that it needs for a network card, as
// Debian has built them, without any other module.
func kernelPrograms(ctx context.Context, b *bench, dir string) ([]string, error) {
	root, err := unpack(ctx, dir, b.debian.pkg+"-dbg")
	if err != nil {
		return nil, err
	}
	debug := filepath.Join(root, "usr", "lib", "debug")
	programs := []string{filepath.Join(debug, "boot", "vmlinux-"+b.debian.version)}
	err = filepath.WalkDir(filepath.Join(debug, "lib", "modules"), func(name string, e os.DirEntry, err error) error {
		module, ok := strings.CutSuffix(filepath.Base(name), ".ko")
		if ok && b.debian.modules[module] != nil {
			programs = append(programs, name)
		}
		return err
	})
	return programs, err
}

// libcPrograms are the C library and the dynamic linker.
func libcPrograms(ctx context.Context, _ *bench, dir string) ([]string, error) {
	root, err := unpack(ctx, dir, "libc6")
	if err != nil {
		return nil, err
	}
	debug, err := unpack(ctx, dir, "libc6-dbg")
	if err != nil {
		return nil, err
	}
	var programs []string
	for _, name := range []string{"libc.so.6", "ld-linux-x86-64.so.2"} {
		id, err := buildID(filepath.Join(root, "lib", "x86_64-linux-gnu", name))
		if err != nil {
			return nil, err
		}
		programs = append(programs, filepath.Join(debug, "usr", "lib", "debug", ".build-id", id[:2], id[2:]+".debug"))
	}
	return programs, nil
}

// buildID is what the linker has called a program.
func buildID(program string) (string, error) {
	f, err := elf.Open(program)
	if err != nil {
		return "", err
	}
	defer f.Close()
	note, err := section(f, ".note.gnu.build-id")
	if err != nil {
		return "", err
	}
	if len(note) != 36 { // a head of 16 bytes and a SHA-1
		return "", errors.New("a build ID of another kind")
	}
	return hex.EncodeToString(note[16:]), nil
}

// fromSource builds Debian's source package as the script says, and returns those files.
func fromSource(pkg, script string, programs ...string) func(context.Context, *bench, string) ([]string, error) {
	return func(ctx context.Context, _ *bench, dir string) ([]string, error) {
		if _, err := output(ctx, dir, "sh", "-c", sources, "sh", pkg); err != nil {
			return nil, err
		}
		found, err := filepath.Glob(filepath.Join(dir, pkg+"-*"))
		if err != nil || len(found) != 1 {
			return nil, errors.Join(err, fmt.Errorf("apt-get source %s: %d folders", pkg, len(found)))
		}
		if _, err := output(ctx, found[0], "sh", "-c", script); err != nil {
			return nil, err
		}
		var built []string
		for _, name := range programs {
			built = append(built, filepath.Join(found[0], name))
		}
		return built, nil
	}
}

// sources fetches a source package, with a list of sources of its own: those of the
// machine may have binaries only. It is the release's version; what security updates change is not
// worth a line.
const sources = `set -e
mkdir -p apt/etc apt/lists/partial apt/cache/archives/partial
apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(REPO_URI) $(CODENAME)' 'Created-By: Packages' |
	sed -n 's#^Debian main \([^ ]*\) \([a-z]*\)$#deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] \1 \2 main#p' | sort -u >apt/etc/debian.list
cat >apt/conf <<END
Dir::State::lists "$PWD/apt/lists";
Dir::Cache "$PWD/apt/cache";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$PWD/apt/etc";
Acquire::Retries "5";
APT::Sandbox::User "root";
END
export APT_CONFIG="$PWD/apt/conf"
apt-get update -q
apt-get source -q "$1"`
