package mail

import "context"

// Accept takes a message for all its recipients. When it returns nil the message is
// durable for every one of them; when it returns an error, a *Refusal, for none.
func (s *Service) Accept(ctx context.Context, in *Incoming) error {
	for _, to := range in.To {
		if _, err := s.Route(ctx, to.Address); err != nil {
			return AsRefusal(err)
		}
	}
	return refuse(451, 3, 0, "mailboxes are not there yet")
}
