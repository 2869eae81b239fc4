package ws

// backlog is what waits to be written; a connection that has nothing to write has none.
type backlog struct {
	queue  []frame
	held   [2]int // frames of each class in queue
	bytes  int    // in queue
	latest map[string][]byte
	order  []string // keys of latest, oldest first
}

type frame struct {
	class Class
	data  []byte
}

// push queues a frame, unless that would be too much.
func (b *backlog) push(class Class, data []byte) bool {
	limit := MaxEvents
	if class == Call {
		limit = MaxCalls
	}
	if b.held[class] >= limit || b.bytes+len(data) > MaxQueued {
		return false
	}
	b.queue = append(b.queue, frame{class, data})
	b.held[class]++
	b.bytes += len(data)
	return true
}

// replace makes data the newest of its key. A new key is dropped when there are too many.
func (b *backlog) replace(key string, data []byte) {
	if _, waiting := b.latest[key]; !waiting {
		if len(b.order) >= MaxLatest {
			return
		}
		b.order = append(b.order, key)
	}
	if b.latest == nil {
		b.latest = map[string][]byte{}
	}
	b.latest[key] = data
}

// pop takes the frame that leaves next, and says whether that was the last one.
func (b *backlog) pop() (data []byte, last bool) {
	if len(b.queue) > 0 {
		f := b.queue[0]
		b.queue[0] = frame{}
		b.queue = b.queue[1:]
		b.held[f.class]--
		b.bytes -= len(f.data)
		data = f.data
	} else {
		key := b.order[0]
		b.order = b.order[1:]
		data = b.latest[key]
		delete(b.latest, key)
	}
	return data, len(b.queue)+len(b.order) == 0
}
