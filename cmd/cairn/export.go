package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"cairn/services/caldav/line"
	"cairn/services/caldav/shelf"
)

// export writes a collection as one file: all cards one after the other, or one
// VCALENDAR with the entries of all and each time zone once.
func export(to io.Writer, c *shelf.Collection) error {
	var list []shelf.Resource
	for r, err := range c.Resources() {
		if err != nil {
			return err
		}
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b shelf.Resource) int { return strings.Compare(a.Name, b.Name) })
	w := bufio.NewWriter(to)
	var err error
	if c.Kind == shelf.Contacts {
		err = exportCards(w, c, list)
	} else {
		err = exportCalendar(w, c, list)
	}
	return errors.Join(err, w.Flush())
}

func exportCards(w *bufio.Writer, c *shelf.Collection, list []shelf.Resource) error {
	for _, r := range list {
		data, err := c.Read(r)
		if err != nil {
			return err
		}
		if _, err := w.WriteString(strings.TrimRight(string(data), "\r\n") + "\r\n"); err != nil {
			return err
		}
	}
	return nil
}

func exportCalendar(w *bufio.Writer, c *shelf.Collection, list []shelf.Resource) error {
	head := &line.Component{Name: "VCALENDAR"}
	head.Add(line.Line{Name: "VERSION", Value: "2.0"}, line.Line{Name: "PRODID", Value: "-//Cairn//Export//EN"})
	if name := c.Props().DisplayName; name != "" {
		head.Add(line.Line{Name: "X-WR-CALNAME", Value: line.Escape(name)})
	}
	text, end, _ := strings.Cut(string(head.Encode()), "END:VCALENDAR")
	if _, err := w.WriteString(text); err != nil {
		return err
	}
	zones := map[string]bool{}
	for _, r := range list {
		data, err := c.Read(r)
		if err != nil {
			return err
		}
		parsed, err := line.Parse(data)
		if err != nil {
			return fmt.Errorf("%s: %w", r.Name, err)
		}
		for _, calendar := range parsed {
			for _, part := range calendar.Children {
				if tzid := part.Value("TZID"); part.Name == "VTIMEZONE" {
					if zones[tzid] {
						continue
					}
					zones[tzid] = true
				}
				if _, err := w.Write(part.Encode()); err != nil {
					return err
				}
			}
		}
	}
	_, err := w.WriteString("END:VCALENDAR" + end)
	return err
}
