package stack

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"cairn/bench/measure"
)

const (
	warmUp      = 300 * time.Millisecond
	connections = 64 // that ask for pages at once
	shaking     = 16 // that do handshakes at once
	message     = 64 // of the echo, in bytes
)

func connect(network, address string, port int) (net.Conn, error) {
	return net.Dial(network, net.JoinHostPort(address, strconv.Itoa(port)))
}

// bulkOut returns how many bytes a second come from the server.
func bulkOut(network, address string, seconds int) (float64, error) {
	c, err := connect(network, address, portSource)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	b := make([]byte, chunk)
	return rate(seconds, func() (int, error) { return c.Read(b) })
}

// bulkIn returns how many bytes a second the server takes.
func bulkIn(network, address string, seconds int) (float64, error) {
	c, err := connect(network, address, portSink)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	b := make([]byte, chunk)
	return rate(seconds, func() (int, error) { return c.Write(b) })
}

// rate repeats f and returns the sum of what it returns, by the second.
func rate(seconds int, f func() (int, error)) (float64, error) {
	sum := 0
	begin := time.Now().Add(warmUp)
	end := begin.Add(time.Duration(seconds) * time.Second)
	for {
		n, err := f()
		if err != nil {
			return 0, err
		}
		now := time.Now()
		if now.After(begin) {
			sum += n
		}
		if now.After(end) {
			return float64(sum) / now.Sub(begin).Seconds(), nil
		}
	}
}

// echo returns the median time of a message there and back, in seconds.
func echo(network, address string, seconds int) (float64, error) {
	c, err := connect(network, address, portEcho)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	b := make([]byte, message)
	var times []float64
	_, err = rate(seconds, func() (int, error) {
		began := time.Now()
		if _, err := c.Write(b); err != nil {
			return 0, err
		}
		_, err := io.ReadFull(c, b)
		times = append(times, time.Since(began).Seconds())
		return 1, err
	})
	return measure.Median(times), err
}

// requests returns how many pages a second come over connections that are kept.
func requests(network, address string, seconds int) (float64, error) {
	request := []byte("GET / HTTP/1.1\r\nHost: " + address + "\r\n\r\n")
	return together(connections, seconds, func() (func() error, error) {
		c, err := connect(network, address, portHTTP)
		if err != nil {
			return nil, err
		}
		in := bufio.NewReader(c)
		if _, err := c.Write(request); err != nil {
			return nil, err
		}
		size, err := responseSize(in)
		if err != nil {
			return nil, err
		}
		return func() error {
			if _, err := c.Write(request); err != nil {
				return err
			}
			_, err := in.Discard(size)
			return err
		}, nil
	})
}

// responseSize reads a response and returns its size; all are of the same.
func responseSize(in *bufio.Reader) (int, error) {
	size, length := 0, 0
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return 0, err
		}
		size += len(line)
		fmt.Sscanf(line, "Content-Length: %d", &length)
		if line == "\r\n" {
			break
		}
	}
	if length == 0 {
		return 0, fmt.Errorf("a response without a length")
	}
	_, err := in.Discard(length)
	return size + length, err
}

// handshakes returns how many TLS connections a second are made.
func handshakes(network, address string, seconds int) (float64, error) {
	config := &tls.Config{ServerName: "bench.test", InsecureSkipVerify: true}
	return together(shaking, seconds, func() (func() error, error) {
		return func() error {
			c, err := connect(network, address, portTLS)
			if err != nil {
				return err
			}
			defer c.Close()
			// No lingering in TIME_WAIT: ports would run out.
			c.(*net.TCPConn).SetLinger(0)
			return tls.Client(c, config).Handshake()
		}, nil
	})
}

// together has n goroutines repeat what start returns, and returns how often it
// was done by the second.
func together(n, seconds int, start func() (func() error, error)) (float64, error) {
	var count atomic.Int64
	var wg sync.WaitGroup
	end := make(chan struct{})
	failed := make(chan error, n)
	for range n {
		f, err := start()
		if err != nil {
			return 0, err
		}
		wg.Go(func() {
			for {
				select {
				case <-end:
					return
				default:
				}
				if err := f(); err != nil {
					failed <- err
					return
				}
				count.Add(1)
			}
		})
	}
	time.Sleep(warmUp)
	began, before := time.Now(), count.Load()
	time.Sleep(time.Duration(seconds) * time.Second)
	figure := float64(count.Load()-before) / time.Since(began).Seconds()
	close(end)
	wg.Wait()
	select {
	case err := <-failed:
		return 0, err
	default:
		return figure, nil
	}
}
