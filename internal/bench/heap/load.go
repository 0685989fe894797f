package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// dial connects to a port of this machine.
func dial(network string, port int) (net.Conn, error) {
	c, err := net.Dial(network, fmt.Sprintf("127.0.0.1:%d", port))
	if err == nil {
		err = c.SetDeadline(time.Now().Add(time.Minute)) // of the whole load
	}
	return c, err
}

func write(dir, name, text string) (path string, err error) {
	path = filepath.Join(dir, name)
	return path, os.WriteFile(path, []byte(text), 0o644)
}

func prepareNATS(dir string, ports [3]int) ([]string, error) {
	return []string{"-a", "127.0.0.1", "-p", fmt.Sprint(ports[0]), "--profile", fmt.Sprint(ports[1]), "-js", "-sd", dir}, nil
}

// loadNATS speaks the protocol of lines: subscriptions, a stream in memory,
// messages for it. PONG comes when all before it is done.
func loadNATS(_ context.Context, ports [3]int) (done func(), err error) {
	c, err := dial("tcp", ports[0])
	if err != nil {
		return nil, err
	}
	w := bufio.NewWriter(c)
	fmt.Fprint(w, "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n")
	for i := range 3000 {
		fmt.Fprintf(w, "SUB service.%d.requests.* %d\r\n", i, i+1)
	}
	stream := `{"name":"ORDERS","subjects":["orders.>"],"storage":"memory","retention":"limits","max_consumers":-1,"max_msgs":-1,"max_bytes":-1,"num_replicas":1}`
	fmt.Fprintf(w, "SUB answers 9999\r\nPUB $JS.API.STREAM.CREATE.ORDERS answers %d\r\n%s\r\nPING\r\n", len(stream), stream)
	if err := w.Flush(); err != nil {
		return nil, err
	}
	in := bufio.NewReader(c)
	if _, err := until(in, `"type":"io.nats.jetstream.api.v1.stream_create_response"`); err != nil {
		return nil, err
	}
	body := strings.Repeat("o", 512)
	for i := range 20000 {
		fmt.Fprintf(w, "PUB orders.%d %d\r\n%s\r\n", i%500, len(body), body)
	}
	// Messages are stored a while after they have come.
	for {
		fmt.Fprint(w, "PUB $JS.API.STREAM.INFO.ORDERS answers 0\r\n\r\n")
		if err := w.Flush(); err != nil {
			return nil, err
		}
		info, err := until(in, `"type":"io.nats.jetstream.api.v1.stream_info_response"`)
		if err != nil {
			return nil, err
		}
		if strings.Contains(info, `"messages":20000,`) {
			return func() { c.Close() }, nil
		}
	}
}

// until reads lines up to one with a text in it.
func until(in *bufio.Reader, text string) (line string, err error) {
	for {
		if line, err = in.ReadString('\n'); err != nil {
			return "", fmt.Errorf("wait for %s: %w", text, err)
		}
		if strings.Contains(line, text) {
			return line, nil
		}
	}
}

func prepareCaddy(dir string, ports [3]int) ([]string, error) {
	file, err := write(dir, "Caddyfile", fmt.Sprintf(`{
	admin 127.0.0.1:%d
	auto_https off
}
http://127.0.0.1:%d {
	templates
	encode gzip
	respond /hello "hello"
	file_server {
		root %s
	}
}
`, ports[1], ports[0], dir))
	return []string{"run", "--config", file}, err
}

// loadCaddy opens connections, sends five requests over each, and leaves them
// open.
func loadCaddy(_ context.Context, ports [3]int) (done func(), err error) {
	var open []net.Conn
	done = func() {
		for _, c := range open {
			c.Close()
		}
	}
	for range 1000 {
		c, err := dial("tcp", ports[0])
		if err != nil {
			return done, err
		}
		open = append(open, c)
		in := bufio.NewReader(c)
		for i := range 5 {
			page := [...]string{"hello", "Caddyfile", "missing"}[i%3]
			fmt.Fprintf(c, "GET /%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", page, ports[0])
			resp, err := http.ReadResponse(in, nil)
			if err != nil {
				return done, err
			}
			if _, err := io.Copy(io.Discard, resp.Body); err != nil {
				return done, err
			}
			resp.Body.Close()
		}
	}
	return done, nil
}

func prepareCoreDNS(dir string, ports [3]int) ([]string, error) {
	var zone strings.Builder
	zone.WriteString("$ORIGIN example.org.\n@ 3600 IN SOA ns.example.org. admin.example.org. 1 7200 3600 1209600 3600\n@ 3600 IN NS ns.example.org.\nns 3600 IN A 127.0.0.1\n")
	for i := range 20000 {
		fmt.Fprintf(&zone, "host%d 3600 IN A 10.%d.%d.%d\n", i, i>>16&255, i>>8&255, i&255)
	}
	file, err := write(dir, "zone", zone.String())
	if err != nil {
		return nil, err
	}
	conf, err := write(dir, "Corefile", fmt.Sprintf(`.:%d {
	bind 127.0.0.1
	pprof 127.0.0.1:%d
	cache 3600
	file %s example.org
	whoami
}
`, ports[0], ports[1], file))
	return []string{"-conf", conf}, err
}

// loadCoreDNS asks for names one after the other.
func loadCoreDNS(_ context.Context, ports [3]int) (done func(), err error) {
	c, err := dial("udp", ports[0])
	if err != nil {
		return nil, err
	}
	defer c.Close()
	answer := make([]byte, 4096)
	for i := range 20000 {
		if _, err := c.Write(query(uint16(i), fmt.Sprintf("host%d.example.org", i%20000))); err != nil {
			return nil, err
		}
		if _, err := c.Read(answer); err != nil {
			return nil, err
		}
	}
	return func() {}, nil
}

// query is a DNS message that asks for the address of a name (RFC 1035, 4.1).
func query(id uint16, name string) []byte {
	q := binary.BigEndian.AppendUint16(nil, id)
	q = append(q, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0) // recursion wished; one question
	for _, label := range strings.Split(name, ".") {
		q = append(append(q, byte(len(label))), label...)
	}
	return append(q, 0, 0, 1, 0, 1) // end of name, A, IN
}
