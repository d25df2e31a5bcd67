package ringtest

import (
	"cmp"
	"strings"
)

// A Suite is the tests of one package.
type Suite struct {
	Package string
	When    Occasion
	Run     string // of the tests, as a pattern; empty: all
	Without []Gap
	Memory  int // in MiB; 0: 256
}

// An Occasion is when a suite is run.
type Occasion int

const (
	Always   Occasion = iota
	Long              // where CAIRN_LONG is set
	Campaign          // by the benchmarks, which print a table
)

// A Gap is tests that are left out.
type Gap struct {
	Why   string
	Tests string // names, blanks apart
}

// Why tests are left out. The whole of a test goes where one of its cases wants a file.
const (
	files    = "wants files, or pipes"
	programs = "runs a program"
	sockets  = "wants the kernel's sockets"
	calls    = "makes a system call that nothing else needs"
)

func (s Suite) memory() int { return cmp.Or(s.Memory, 256) }

// without is the pattern of all that is left out.
func (s Suite) without() string {
	var names []string
	for _, gap := range s.Without {
		names = append(names, strings.Fields(gap.Tests)...)
	}
	if names == nil {
		return ""
	}
	return "^(" + strings.Join(names, "|") + ")$"
}

// Suites are all that are known to run, and all that is known not to.
var Suites = []Suite{
	{Package: "sort"},
	{Package: "strconv"},
	{Package: "sync/atomic"},

	{Package: "context", When: Long},
	{Package: "encoding/binary", When: Long},
	{Package: "hash/crc32", When: Long},
	{Package: "maps", When: Long},
	{Package: "math", When: Long},
	{Package: "reflect", When: Long},
	{Package: "slices", When: Long},
	{Package: "strings", When: Long},
	{Package: "sync", When: Long, Without: []Gap{{programs, "TestMutexMisuse TestIssue76126"}}},

	{Package: "bufio", When: Campaign, Without: []Gap{{sockets, "TestCopyUnixpacket"}}},
	{Package: "bytes", When: Campaign},
	{Package: "compress/flate", When: Campaign, Without: []Gap{{files, "TestWriteBlock TestWriteBlockDynamic TestWriterPersistentWriteError"}}},
	{Package: "compress/gzip", When: Campaign, Without: []Gap{{files, "TestIssue6550"}}},
	{Package: "compress/lzw", When: Campaign, Without: []Gap{{files, "TestWriter"}}},
	{Package: "compress/zlib", When: Campaign, Without: []Gap{{files, "TestWriterBig TestWriterDict TestWriterReset"}}},
	{Package: "container/heap", When: Campaign},
	{Package: "container/list", When: Campaign},
	{Package: "container/ring", When: Campaign},
	{Package: "crypto/aes", When: Campaign},
	{Package: "crypto/cipher", When: Campaign, Without: []Gap{{programs, "TestGCMNoncesFIPSV1 TestGCMNoncesFIPSV126"}}},
	{Package: "crypto/des", When: Campaign},
	{Package: "crypto/dsa", When: Campaign},
	{Package: "crypto/ecdh", When: Campaign},
	{Package: "crypto/ecdsa", When: Campaign},
	{Package: "crypto/ed25519", When: Campaign, Without: []Gap{{files, "TestGolden"}}},
	{Package: "crypto/elliptic", When: Campaign},
	{Package: "crypto/hkdf", When: Campaign},
	{Package: "crypto/hmac", When: Campaign},
	{Package: "crypto/md5", When: Campaign},
	{Package: "crypto/pbkdf2", When: Campaign},
	{Package: "crypto/rand", When: Campaign},
	{Package: "crypto/rc4", When: Campaign},
	{Package: "crypto/rsa", When: Campaign, Without: []Gap{{files, "TestPSSGolden"}}},
	{Package: "crypto/sha1", When: Campaign},
	{Package: "crypto/sha256", When: Campaign},
	{Package: "crypto/sha3", When: Campaign},
	{Package: "crypto/sha512", When: Campaign},
	{Package: "crypto/subtle", When: Campaign},
	{Package: "crypto/x509", When: Campaign, Memory: 512, Without: []Gap{{files, "TestParsePolicies TestNISTPKITSPolicy TestEnvVars TestLoadSystemCertsLoadColonSeparatedDirs TestReadUniqueDirectoryEntries TestPoliciesValid TestInvalidPolicyWithAnyKeyUsage"}}},
	{Package: "encoding/ascii85", When: Campaign},
	{Package: "encoding/asn1", When: Campaign},
	{Package: "encoding/base32", When: Campaign},
	{Package: "encoding/base64", When: Campaign},
	{Package: "encoding/csv", When: Campaign},
	{Package: "encoding/gob", When: Campaign},
	{Package: "encoding/hex", When: Campaign},
	{Package: "encoding/json", When: Campaign, Without: []Gap{{sockets, "TestHTTPDecoding"}}},
	{Package: "encoding/pem", When: Campaign},
	{Package: "encoding/xml", When: Campaign},
	{Package: "errors", When: Campaign},
	{Package: "fmt", When: Campaign},
	{Package: "hash", When: Campaign},
	{Package: "hash/adler32", When: Campaign},
	{Package: "hash/crc64", When: Campaign},
	{Package: "hash/fnv", When: Campaign},
	{Package: "hash/maphash", When: Campaign},
	{Package: "html", When: Campaign},
	{Package: "index/suffixarray", When: Campaign},
	{Package: "io", When: Campaign, Without: []Gap{{files, "TestOffsetWriter_Seek TestOffsetWriter_WriteAt TestWriteAt_PositionPriorToBase TestOffsetWriter_Write"}}},
	{Package: "io/fs", When: Campaign, Without: []Gap{{files, "TestGlob TestReadDirPath TestReadFilePath TestWalkDir TestIssue51617"}}},
	{Package: "iter", When: Campaign},
	{Package: "log", When: Campaign},
	{Package: "log/slog", When: Campaign},
	{Package: "math/big", When: Campaign, Memory: 512},
	{Package: "math/bits", When: Campaign},
	{Package: "math/cmplx", When: Campaign},
	{Package: "math/rand", When: Campaign},
	{Package: "math/rand/v2", When: Campaign},
	{Package: "net/netip", When: Campaign},
	{Package: "net/textproto", When: Campaign},
	{Package: "net/url", When: Campaign},
	{Package: "path", When: Campaign},
	{Package: "regexp", When: Campaign, Without: []Gap{{files, "TestRE2Search"}}},
	{Package: "regexp/syntax", When: Campaign},
	{Package: "runtime", When: Campaign, Memory: 2048, Without: []Gap{
		{programs, "TestFinalizerRegisterABI TestRuntimePanic TestTracebackRuntimeFunction TestTracebackRuntimeMethod TestG0StackOverflow TestCrashWhileTracing TestIssue66841 TestArenaCollision TestMemHashGlobalSeed TestTracebackSystem"},
		{files, "TestSignalM TestDecorateMappings TestSchedPauseMetrics TestNonblockingPipe TestMemmoveOverflow"},
		{calls, "TestMincoreErrorSign"},
	}},
	{Package: "text/template", When: Campaign, Without: []Gap{{files, "TestParseFiles TestParseGlob TestParseFS TestParseFilesWithData TestParseGlobWithData"}}},
	{Package: "time", When: Campaign, Without: []Gap{{files, "TestLoadLocationFromTZData TestLoadLocationFromTZDataSlim"}}},
	{Package: "unicode", When: Campaign},
	{Package: "unicode/utf16", When: Campaign},
	{Package: "unicode/utf8", When: Campaign},
}
