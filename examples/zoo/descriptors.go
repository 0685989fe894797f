package main

import (
	"net"
	"os"
)

// descriptorLeaks open what they do not close.
func descriptorLeaks() []service {
	return []service{
		{"leak-files", 4, nil, false, &tenantLogs{map[int]*os.File{}}},
		{"leak-connections", 2, nil, true, &devices{}},
		{"leak-pipes", 3, sine(20, 0.5), false, &pipes{}},
	}
}

// tenantLogs leaks: a log file stays open for each tenant there ever was.
type tenantLogs struct{ open map[int]*os.File }

func (t *tenantLogs) work(i int) {
	f, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err == nil {
		t.open[i] = f
	}
}

// devices leaks: both ends of each connection are kept in a list, and nothing
// goes over them.
type devices struct {
	listener        net.Listener
	dialed, entered []net.Conn
}

func (d *devices) open(*site) (err error) {
	d.listener, err = net.Listen("tcp", "127.0.0.1:0")
	return err
}

func (d *devices) work(i int) {
	c, err := net.Dial("tcp", d.listener.Addr().String())
	if err != nil {
		return
	}
	d.dialed = append(d.dialed, c)
	if c, err = d.listener.Accept(); err == nil {
		d.entered = append(d.entered, c)
	}
}

// pipes leaks: both ends of a pipe are kept with the result of what went
// through it.
type pipes struct{ runs []pipeRun }

type pipeRun struct{ in, out *os.File }

func (p *pipes) work(i int) {
	if out, in, err := os.Pipe(); err == nil {
		p.runs = append(p.runs, pipeRun{in, out})
	}
}
