package report

import (
	"fmt"
	"io"
)

// Comments are the free-form comments of a profile.
type Comments struct {
	Lines []string
}

// NewComments reads them.
func NewComments(r *Report) *Comments { return &Comments{r.View.Profile.Comments} }

// WriteText writes one a line.
func (c *Comments) WriteText(w io.Writer) error {
	for _, l := range c.Lines {
		if _, err := fmt.Fprintln(w, l); err != nil {
			return err
		}
	}
	return nil
}
