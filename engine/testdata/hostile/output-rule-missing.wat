;; attack: Answers with a finding without a rule.
;; want: output

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64) (i64.const 0x1000_0000_0072))

(data (i32.const 4096) "{\"status\":\"complete\",\"findings\":[{\"severity\":\"high\",\"confidence\":0.5,\"segment\":0,\"start\":0,\"end\":1,\"message\":\"\"}]}")
