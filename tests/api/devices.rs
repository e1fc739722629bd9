//! One's sessions: listing them, ending them, a new token for one, and the notice of a new device.
