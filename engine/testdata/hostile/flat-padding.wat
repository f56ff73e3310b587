;; attack: A flat finding with something in its padding.
;; want: output

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64) (i64.const 0x1000_0000_006e))

(data (i32.const 4096) "BTZO(\00\00\00\01\00\00\00(\00\00\00\01\00\00\008\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00`\00\00\00\0e\00\00\00\00\00\00\00\00\00\e0?\00\00\00\00\00\00\00\00\00\00\00\00\02\00\01\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00integrity.mild")
(@custom "bartizan.manifest" "{\"abi\":1,\"name\":\"hostile\",\"version\":\"1.0.0\",\"phases\":[\"listing\",\"request\",\"result\",\"prompt\",\"resource\"],\"encoding\":\"flat\",\"form\":\"reactor\",\"call\":\"always\",\"rules\":[{\"id\":\"integrity.mild\",\"family\":\"integrity\",\"severity\":\"low\",\"taxonomy\":[],\"description\":\"A mild rule.\"}]}")
