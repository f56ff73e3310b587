package audit

// stamp returns a copy with the members that only the log can know.
func (l *Log) stamp(e *Event) *Event {
	s := *e
	if s.Time == 0 {
		s.Time = l.opts.Now().UnixMilli()
	}
	m := &s.Metadata
	m.Version = SchemaVersion
	m.LogName = appName
	m.Product = Product{Name: "Bartizan", VendorName: "Bartizan", Version: l.opts.Version}
	if l.opts.Feature != "" {
		m.Product.Feature = &Named{Name: l.opts.Feature}
	}
	if m.UID == "" {
		m.UID = l.opts.NewID()
	}
	if s.FindingInfo != nil && s.FindingInfo.UID == "" {
		f := *s.FindingInfo
		f.UID = m.UID
		s.FindingInfo = &f
	}
	if s.ClassUID == ClassAPI && m.CorrelationUID == "" {
		m.CorrelationUID = m.UID
		if s.API != nil {
			api := *s.API
			api.Request = &APIRequest{UID: m.UID}
			s.API = &api
		}
	}
	return &s
}
