;; attack: Carries a trigger of a pattern that it does not have.
;; want: refused

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64) (i64.const 0x400_0000_0023))

(@custom "bartizan.manifest" "{\"abi\":1,\"name\":\"hostile\",\"version\":\"1.0.0\",\"phases\":[\"listing\",\"request\",\"result\",\"prompt\",\"resource\"],\"encoding\":\"json\",\"form\":\"reactor\",\"call\":\"triggered\",\"patterns\":[{\"id\":\"a\",\"text\":\"attack\"}],\"trigger\":\"b\",\"rules\":[{\"id\":\"integrity.mild\",\"family\":\"integrity\",\"severity\":\"low\",\"taxonomy\":[],\"description\":\"A mild rule.\"}]}")
