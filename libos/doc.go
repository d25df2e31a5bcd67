// Package libos is the vocabulary between a service and the machine it runs
// on. A service is handed an Env with the devices that its Manifest names and
// reaches nothing else: no ambient sockets, files, clocks or environment.
//
//   - Net is a network with a transport on it: sockets. net/host makes one from
//     the kernel's, net/stack from a Link.
//   - Link is a network card: frames.
//   - Block is a disk, or a file that stands for one.
//   - Manifest says what a service needs and which arguments it takes.
//
// Outside, a Net deals in the standard library's net.Conn and net.Listener, so
// that net/http, crypto/tls and every other library work on it unchanged.
package libos
