package metal

import "cairn/libos/metal/kernel"

// PowerButton returns a channel that is closed when somebody presses the machine's
// power button; nil where there is none. It may be called once.
func PowerButton() <-chan struct{} {
	if !Running() {
		return nil
	}
	fd, ok := kernel.Button()
	if !ok {
		return nil
	}
	pressed := make(chan struct{})
	go func() {
		button := newInterrupt(fd, "the power button")
		if button.Wait() == nil {
			close(pressed)
		}
		button.Close()
	}()
	return pressed
}
