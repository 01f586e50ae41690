/* collect/segment_recorded.h - bodies as the SDKs sent them (docs/sdks.md), for the tests.
 *
 * analytics-node 3.1.0, analytics-next 1.84.3, rudder-sdk-node 3.0.13 (gzip, under
 * application/x-www-form-urlencoded), rudder JS 3.34.1.
 */
#ifndef COLLECT_SEGMENT_RECORDED_H
#define COLLECT_SEGMENT_RECORDED_H

static const char segment_node_batch[] =
    "{\"batch\":[{\"timestamp\":\"2026-01-02T03:04:05.000Z\",\"integrations\":{\"All\":tr"
    "ue},\"event\":\"Order Completed\",\"type\":\"track\",\"properties\":{\"revenue\":9.5"
    "},\"context\":{\"ip\":\"203.0.113.7\",\"userAgent\":\"UA/1\",\"page\":{\"url\":\"htt"
    "ps://ex.test/a\"},\"consent\":{\"categoryPreferences\":{\"Analytics\":true,\"Adverti"
    "sing\":false}},\"library\":{\"name\":\"@segment/analytics-node\",\"version\":\"3.1.0"
    "\"}},\"userId\":\"u1\",\"anonymousId\":\"an1\",\"messageId\":\"node-next-17953106512"
    "42-37ab7336-276c-4ced-ab8e-fd55e16ea2ea\",\"_metadata\":{\"nodeVersion\":\"v20.20.2"
    "\",\"jsRuntime\":\"node\"}},{\"timestamp\":\"2026-11-22T01:24:11.243Z\",\"integratio"
    "ns\":{},\"type\":\"page\",\"properties\":{\"url\":\"https://ex.test/a\",\"category\""
    ":\"Docs\"},\"category\":\"Docs\",\"name\":\"Home\",\"context\":{\"ip\":\"203.0.113.7"
    "\",\"userAgent\":\"UA/1\",\"page\":{\"url\":\"https://ex.test/a\"},\"consent\":{\"ca"
    "tegoryPreferences\":{\"Analytics\":true,\"Advertising\":false}},\"library\":{\"name"
    "\":\"@segment/analytics-node\",\"version\":\"3.1.0\"}},\"userId\":\"u1\",\"messageId"
    "\":\"node-next-1795310651243-7336276c-5ced-4b8e-bd55-e16ea2ea106a\",\"_metadata\":{"
    "\"nodeVersion\":\"v20.20.2\",\"jsRuntime\":\"node\"}},{\"timestamp\":\"2026-11-22T01"
    ":24:11.244Z\",\"integrations\":{},\"type\":\"screen\",\"properties\":{},\"name\":\"M"
    "ain\",\"context\":{\"library\":{\"name\":\"@segment/analytics-node\",\"version\":\"3"
    ".1.0\"}},\"anonymousId\":\"an1\",\"messageId\":\"node-next-1795310651244-276c5ced-6b"
    "8e-4d55-a16e-a2ea106a1ad1\",\"_metadata\":{\"nodeVersion\":\"v20.20.2\",\"jsRuntime"
    "\":\"node\"}},{\"timestamp\":\"2026-11-22T01:24:11.244Z\",\"integrations\":{},\"type"
    "\":\"identify\",\"userId\":\"u1\",\"traits\":{\"email\":\"a@b.test\"},\"context\":{"
    "\"library\":{\"name\":\"@segment/analytics-node\",\"version\":\"3.1.0\"}},\"anonymou"
    "sId\":\"an1\",\"messageId\":\"node-next-1795310651244-5ced6b8e-fd55-416e-a2ea-106a1a"
    "d142bf\",\"_metadata\":{\"nodeVersion\":\"v20.20.2\",\"jsRuntime\":\"node\"}},{\"tim"
    "estamp\":\"2026-11-22T01:24:11.244Z\",\"integrations\":{},\"type\":\"group\",\"trait"
    "s\":{\"name\":\"Acme\"},\"groupId\":\"g1\",\"context\":{\"library\":{\"name\":\"@seg"
    "ment/analytics-node\",\"version\":\"3.1.0\"}},\"userId\":\"u1\",\"messageId\":\"node"
    "-next-1795310651244-6b8efd55-e16e-42ea-906a-1ad142bf8f56\",\"_metadata\":{\"nodeVers"
    "ion\":\"v20.20.2\",\"jsRuntime\":\"node\"}},{\"timestamp\":\"2026-11-22T01:24:11.244"
    "Z\",\"integrations\":{},\"userId\":\"u1\",\"type\":\"alias\",\"previousId\":\"an1\","
    "\"context\":{\"library\":{\"name\":\"@segment/analytics-node\",\"version\":\"3.1.0\""
    "}},\"messageId\":\"node-next-1795310651244-fd55e16e-a2ea-406a-9ad1-42bf8f56097b\",\""
    "_metadata\":{\"nodeVersion\":\"v20.20.2\",\"jsRuntime\":\"node\"}}],\"writeKey\":\"W"
    "K_TEST\",\"sentAt\":\"2026-11-22T01:24:11.253Z\"}";

static const char segment_browser_page[] =
    "{\"timestamp\":\"2026-11-22T01:26:21.577Z\",\"integrations\":{\"Segment.io\":true},"
    "\"type\":\"page\",\"properties\":{\"path\":\"/segment.html\",\"referrer\":\"\",\"sea"
    "rch\":\"\",\"title\":\"Seg page\",\"url\":\"http://127.0.0.1:18090/segment.html\"},"
    "\"context\":{\"page\":{\"path\":\"/segment.html\",\"referrer\":\"\",\"search\":\"\","
    "\"title\":\"Seg page\",\"url\":\"http://127.0.0.1:18090/segment.html\"},\"userAgent"
    "\":\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Headless"
    "Chrome/156.0.0.0 Safari/537.36\",\"userAgentData\":{\"brands\":[{\"brand\":\"Not:A-B"
    "rand\",\"version\":\"8\"},{\"brand\":\"Chromium\",\"version\":\"156\"}],\"mobile\":f"
    "alse,\"platform\":\"Linux\"},\"locale\":\"en-US\",\"library\":{\"name\":\"analytics."
    "js\",\"version\":\"next-1.84.3\"},\"timezone\":\"UTC\"},\"messageId\":\"ajs-next-179"
    "5310781578-bb37bfe7-69aa-40a4-b023-28d4d441ba0a\",\"anonymousId\":\"37bfe769-aa40-44"
    "30-a328-d4d441ba0a8f\",\"writeKey\":\"WK_TEST\",\"userId\":\"u1\",\"sentAt\":\"2026-"
    "11-22T01:26:21.676Z\",\"_metadata\":{\"bundled\":[\"Segment.io\"],\"unbundled\":[],"
    "\"bundledIds\":[]}}";

static const char segment_browser_batch[] =
    "{\"writeKey\":\"WK_TEST\",\"batch\":[{\"timestamp\":\"2026-11-22T01:26:25.836Z\",\"i"
    "ntegrations\":{\"Segment.io\":true},\"type\":\"page\",\"properties\":{\"path\":\"/se"
    "gment.html\",\"referrer\":\"\",\"search\":\"?batch\",\"title\":\"Seg page\",\"url\":"
    "\"http://127.0.0.1:18090/segment.html?batch\"},\"context\":{\"page\":{\"path\":\"/se"
    "gment.html\",\"referrer\":\"\",\"search\":\"?batch\",\"title\":\"Seg page\",\"url\":"
    "\"http://127.0.0.1:18090/segment.html?batch\"},\"userAgent\":\"Mozilla/5.0 (X11; Lin"
    "ux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/53"
    "7.36\",\"userAgentData\":{\"brands\":[{\"brand\":\"Not:A-Brand\",\"version\":\"8\"},"
    "{\"brand\":\"Chromium\",\"version\":\"156\"}],\"mobile\":false,\"platform\":\"Linux"
    "\"},\"locale\":\"en-US\",\"library\":{\"name\":\"analytics.js\",\"version\":\"next-1"
    ".84.3\"},\"campaign\":{},\"timezone\":\"UTC\"},\"messageId\":\"ajs-next-179531078583"
    "6-9d5af9ea-b3e4-4604-ac47-a26fba2e6f0e\",\"userId\":\"u1\",\"anonymousId\":\"37bfe76"
    "9-aa40-4430-a328-d4d441ba0a8f\",\"writeKey\":\"WK_TEST\",\"_metadata\":{\"bundled\":"
    "[\"Segment.io\"],\"unbundled\":[],\"bundledIds\":[]}},{\"timestamp\":\"2026-11-22T01"
    ":26:25.881Z\",\"integrations\":{\"Segment.io\":true},\"event\":\"Clicked\",\"type\":"
    "\"track\",\"properties\":{\"a\":1},\"context\":{\"consent\":{\"categoryPreferences\""
    ":{\"Analytics\":true,\"Advertising\":false}},\"page\":{\"path\":\"/segment.html\",\""
    "referrer\":\"\",\"search\":\"?batch\",\"title\":\"Seg page\",\"url\":\"http://127.0."
    "0.1:18090/segment.html?batch\"},\"userAgent\":\"Mozilla/5.0 (X11; Linux x86_64) Appl"
    "eWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36\",\"userAg"
    "entData\":{\"brands\":[{\"brand\":\"Not:A-Brand\",\"version\":\"8\"},{\"brand\":\"Ch"
    "romium\",\"version\":\"156\"}],\"mobile\":false,\"platform\":\"Linux\"},\"locale\":"
    "\"en-US\",\"library\":{\"name\":\"analytics.js\",\"version\":\"next-1.84.3\"},\"camp"
    "aign\":{},\"timezone\":\"UTC\"},\"messageId\":\"ajs-next-1795310785881-f9eab3e4-d604"
    "-4c47-a26f-ba2e6f0e77f9\",\"userId\":\"u1\",\"anonymousId\":\"37bfe769-aa40-4430-a32"
    "8-d4d441ba0a8f\",\"writeKey\":\"WK_TEST\",\"_metadata\":{\"bundled\":[\"Segment.io\""
    "],\"unbundled\":[],\"bundledIds\":[]}},{\"timestamp\":\"2026-11-22T01:26:25.896Z\","
    "\"integrations\":{\"Segment.io\":true},\"type\":\"identify\",\"userId\":\"u1\",\"tra"
    "its\":{\"email\":\"a@b.test\"},\"context\":{\"page\":{\"path\":\"/segment.html\",\"r"
    "eferrer\":\"\",\"search\":\"?batch\",\"title\":\"Seg page\",\"url\":\"http://127.0.0"
    ".1:18090/segment.html?batch\"},\"userAgent\":\"Mozilla/5.0 (X11; Linux x86_64) Apple"
    "WebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36\",\"userAge"
    "ntData\":{\"brands\":[{\"brand\":\"Not:A-Brand\",\"version\":\"8\"},{\"brand\":\"Chr"
    "omium\",\"version\":\"156\"}],\"mobile\":false,\"platform\":\"Linux\"},\"locale\":\""
    "en-US\",\"library\":{\"name\":\"analytics.js\",\"version\":\"next-1.84.3\"},\"campai"
    "gn\":{},\"timezone\":\"UTC\"},\"messageId\":\"ajs-next-1795310785896-b3e4d604-ac47-4"
    "26f-ba2e-6f0e77f9bb2d\",\"anonymousId\":\"37bfe769-aa40-4430-a328-d4d441ba0a8f\",\"w"
    "riteKey\":\"WK_TEST\",\"_metadata\":{\"bundled\":[\"Segment.io\"],\"unbundled\":[],"
    "\"bundledIds\":[]}}],\"sentAt\":\"2026-11-22T01:26:25.915Z\"}";

static const unsigned char rudder_node_batch_gzip[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xd5, 0x92, 0xc1, 0x6a, 0xdc, 0x30,
    0x10, 0x86, 0xdf, 0x45, 0xe7, 0x8c, 0x91, 0x64, 0x49, 0x96, 0x7d, 0x4a, 0x6e, 0xed, 0x3d, 0xe4,
    0x90, 0x52, 0xca, 0xc8, 0x92, 0x37, 0x82, 0xb5, 0x6c, 0x2c, 0x6d, 0xc8, 0xb2, 0xe4, 0xdd, 0x3b,
    0x36, 0xa1, 0x0d, 0x1b, 0xd2, 0x86, 0x3d, 0x04, 0x02, 0x06, 0x69, 0x46, 0xff, 0xcc, 0xfc, 0xfa,
    0xac, 0x13, 0x73, 0x58, 0xfa, 0x07, 0xd6, 0xfd, 0x38, 0xb1, 0x43, 0x0e, 0xcb, 0x77, 0xcf, 0x3a,
    0x76, 0x10, 0xec, 0x8a, 0x25, 0x1c, 0x03, 0xed, 0xbf, 0x4d, 0xb4, 0x5c, 0xb1, 0x72, 0x9c, 0xd7,
    0x68, 0xc6, 0xdd, 0x1a, 0xf5, 0x53, 0x2a, 0xe1, 0xa9, 0xb0, 0xee, 0xc4, 0xf6, 0xd1, 0x2d, 0xb8,
    0x1c, 0xd7, 0xed, 0x4b, 0x05, 0x26, 0xdc, 0x1f, 0x4b, 0xec, 0x33, 0xa4, 0xc9, 0xaf, 0xea, 0xc7,
    0xb0, 0xe4, 0x38, 0x25, 0x3a, 0xaa, 0x2b, 0x5e, 0x89, 0x9a, 0x3d, 0x3f, 0x53, 0x8b, 0x07, 0x4c,
    0x29, 0xec, 0x29, 0x49, 0x53, 0x49, 0x41, 0xba, 0x5f, 0x63, 0x28, 0xe8, 0xb1, 0xe0, 0xd6, 0x8c,
    0x6a, 0xef, 0xfe, 0x14, 0x4a, 0x5e, 0xad, 0x1f, 0xa3, 0xc2, 0x69, 0x89, 0xbb, 0x48, 0x23, 0x6e,
    0xe3, 0x18, 0x72, 0xc1, 0x71, 0xde, 0x8e, 0xa5, 0x01, 0x21, 0x40, 0xca, 0x5b, 0x2e, 0x3a, 0xa9,
    0x3a, 0x21, 0x2b, 0x6d, 0xf4, 0x3d, 0x35, 0x25, 0x51, 0x26, 0xd3, 0xdb, 0xbd, 0x7a, 0x34, 0x4a,
    0x78, 0xaf, 0x41, 0x36, 0xe8, 0x41, 0x35, 0xbd, 0x01, 0xa7, 0xa5, 0x04, 0x8e, 0xa8, 0xa5, 0x6f,
    0x5d, 0x68, 0x9a, 0x96, 0x4a, 0x72, 0x48, 0xe5, 0xa6, 0xbc, 0xd3, 0xd6, 0xf0, 0xfa, 0x9e, 0x6c,
    0x9c, 0xd3, 0x2a, 0x0b, 0xc6, 0x92, 0x57, 0xe3, 0x61, 0xc4, 0xb8, 0x5e, 0x0b, 0xaf, 0x5d, 0x55,
    0xc8, 0xe1, 0xea, 0xf9, 0x15, 0xaf, 0x7f, 0x0b, 0x2f, 0xa5, 0xf9, 0xf2, 0x7b, 0xa2, 0x27, 0xeb,
    0x71, 0x38, 0xb2, 0x4f, 0xe1, 0x6b, 0xce, 0xf9, 0x72, 0x6d, 0x38, 0x17, 0xc2, 0x40, 0x50, 0xc6,
    0x82, 0xf2, 0x6d, 0x00, 0x94, 0xb6, 0x06, 0xdb, 0x72, 0xcf, 0xdb, 0x16, 0x87, 0x86, 0xbb, 0x0b,
    0xf9, 0xee, 0x96, 0xe9, 0x30, 0x6f, 0xe1, 0x4e, 0xfc, 0x7d, 0x8e, 0x5b, 0xf6, 0xcb, 0xbc, 0xc7,
    0x37, 0xbc, 0x7a, 0xee, 0x7b, 0xd4, 0x56, 0x83, 0x76, 0x0e, 0x41, 0xa1, 0xf4, 0xf4, 0x1e, 0x75,
    0x0d, 0x5a, 0xa2, 0x32, 0xad, 0x1c, 0x86, 0xd6, 0xaa, 0x0b, 0x79, 0xcd, 0x4b, 0x78, 0x8c, 0xd3,
    0x21, 0x6f, 0x19, 0x4c, 0xaf, 0x98, 0xe1, 0x3e, 0x62, 0xfe, 0x32, 0xcc, 0x9a, 0x73, 0x66, 0x43,
    0xe0, 0xba, 0xb5, 0xb5, 0x01, 0xa3, 0x9b, 0x01, 0xd4, 0x10, 0x06, 0x70, 0xbd, 0xb2, 0x60, 0x85,
    0xb7, 0xc1, 0x48, 0xd1, 0x48, 0x83, 0x1f, 0x63, 0xf6, 0x93, 0x90, 0xfc, 0x67, 0xfe, 0x26, 0xfc,
    0x50, 0xb3, 0xdf, 0x5c, 0xec, 0x5d, 0xa5, 0x48, 0x05, 0x00, 0x00,
};

static const char rudder_browser_page[] =
    "{\"properties\":{\"path\":\"/rs.html\",\"referrer\":\"$direct\",\"referring_domain\""
    ":\"\",\"search\":\"\",\"title\":\"RS page\",\"url\":\"http://127.0.0.1:18090/rs.html"
    "\",\"tab_url\":\"http://127.0.0.1:18090/rs.html\",\"initial_referrer\":\"$direct\","
    "\"initial_referring_domain\":\"\"},\"type\":\"page\",\"channel\":\"web\",\"context\""
    ":{\"traits\":{},\"sessionId\":1795310810318,\"sessionStart\":true,\"app\":{\"name\":"
    "\"RudderLabs JavaScript SDK\",\"namespace\":\"com.rudderlabs.javascript\",\"version"
    "\":\"3.34.1\",\"installType\":\"npm\"},\"library\":{\"name\":\"RudderLabs JavaScript"
    " SDK\",\"version\":\"3.34.1\",\"variant\":\"bundled\"},\"userAgent\":\"Mozilla/5.0 ("
    "X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 S"
    "afari/537.36\",\"os\":{\"name\":\"\",\"version\":\"\"},\"locale\":\"en-US\",\"screen"
    "\":{\"width\":800,\"height\":600,\"density\":1,\"innerWidth\":800,\"innerHeight\":60"
    "0},\"campaign\":{},\"page\":{\"path\":\"/rs.html\",\"referrer\":\"$direct\",\"referr"
    "ing_domain\":\"\",\"search\":\"\",\"title\":\"RS page\",\"url\":\"http://127.0.0.1:1"
    "8090/rs.html\",\"tab_url\":\"http://127.0.0.1:18090/rs.html\",\"initial_referrer\":"
    "\"$direct\",\"initial_referring_domain\":\"\"},\"timezone\":\"GMT+0000\"},\"original"
    "Timestamp\":\"2026-11-22T01:26:50.362Z\",\"messageId\":\"65ea59ff-8474-42b1-b5a9-a58"
    "4246eb18b\",\"userId\":\"\",\"anonymousId\":\"70513aad-c7e1-457e-a911-c313b7e07c64\""
    ",\"integrations\":{\"All\":true},\"sentAt\":\"2026-11-22T01:26:50.368Z\"}";

static const char rudder_browser_batch[] =
    "{\"batch\":[{\"properties\":{\"path\":\"/rs.html\",\"referrer\":\"$direct\",\"referr"
    "ing_domain\":\"\",\"search\":\"?batch\",\"title\":\"RS page\",\"url\":\"http://127.0"
    ".0.1:18090/rs.html?batch\",\"tab_url\":\"http://127.0.0.1:18090/rs.html?batch\",\"in"
    "itial_referrer\":\"$direct\",\"initial_referring_domain\":\"\"},\"type\":\"page\",\""
    "channel\":\"web\",\"context\":{\"traits\":{\"email\":\"a@b.test\"},\"sessionId\":179"
    "5310810318,\"app\":{\"name\":\"RudderLabs JavaScript SDK\",\"namespace\":\"com.rudde"
    "rlabs.javascript\",\"version\":\"3.34.1\",\"installType\":\"npm\"},\"library\":{\"na"
    "me\":\"RudderLabs JavaScript SDK\",\"version\":\"3.34.1\",\"variant\":\"bundled\"},"
    "\"userAgent\":\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Geck"
    "o) HeadlessChrome/156.0.0.0 Safari/537.36\",\"os\":{\"name\":\"\",\"version\":\"\"},"
    "\"locale\":\"en-US\",\"screen\":{\"width\":800,\"height\":600,\"density\":1,\"innerW"
    "idth\":800,\"innerHeight\":600},\"campaign\":{},\"page\":{\"path\":\"/rs.html\",\"re"
    "ferrer\":\"$direct\",\"referring_domain\":\"\",\"search\":\"?batch\",\"title\":\"RS "
    "page\",\"url\":\"http://127.0.0.1:18090/rs.html?batch\",\"tab_url\":\"http://127.0.0"
    ".1:18090/rs.html?batch\",\"initial_referrer\":\"$direct\",\"initial_referring_domain"
    "\":\"\"},\"timezone\":\"GMT+0000\"},\"originalTimestamp\":\"2026-11-22T01:26:54.816Z"
    "\",\"messageId\":\"2d9844f2-1861-419f-a61f-e33c69d420e7\",\"userId\":\"u1\",\"anonym"
    "ousId\":\"70513aad-c7e1-457e-a911-c313b7e07c64\",\"integrations\":{\"All\":true},\"s"
    "entAt\":\"2026-11-22T01:26:54.826Z\"},{\"properties\":{\"a\":1},\"event\":\"Clicked"
    "\",\"type\":\"track\",\"channel\":\"web\",\"context\":{\"traits\":{\"email\":\"a@b.t"
    "est\"},\"sessionId\":1795310810318,\"app\":{\"name\":\"RudderLabs JavaScript SDK\","
    "\"namespace\":\"com.rudderlabs.javascript\",\"version\":\"3.34.1\",\"installType\":"
    "\"npm\"},\"library\":{\"name\":\"RudderLabs JavaScript SDK\",\"version\":\"3.34.1\","
    "\"variant\":\"bundled\"},\"userAgent\":\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit"
    "/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36\",\"os\":{\"name"
    "\":\"\",\"version\":\"\"},\"locale\":\"en-US\",\"screen\":{\"width\":800,\"height\":"
    "600,\"density\":1,\"innerWidth\":800,\"innerHeight\":600},\"campaign\":{},\"page\":{"
    "\"path\":\"/rs.html\",\"referrer\":\"$direct\",\"referring_domain\":\"\",\"search\":"
    "\"?batch\",\"title\":\"RS page\",\"url\":\"http://127.0.0.1:18090/rs.html?batch\",\""
    "tab_url\":\"http://127.0.0.1:18090/rs.html?batch\",\"initial_referrer\":\"$direct\","
    "\"initial_referring_domain\":\"\"},\"timezone\":\"GMT+0000\"},\"originalTimestamp\":"
    "\"2026-11-22T01:26:54.820Z\",\"messageId\":\"ab89bd7b-f99a-48c1-b36c-d0ac3ff6a07b\","
    "\"userId\":\"u1\",\"anonymousId\":\"70513aad-c7e1-457e-a911-c313b7e07c64\",\"integra"
    "tions\":{\"All\":true},\"sentAt\":\"2026-11-22T01:26:54.826Z\"},{\"userId\":\"u1\","
    "\"type\":\"identify\",\"context\":{\"traits\":{\"email\":\"a@b.test\"},\"sessionId\""
    ":1795310810318,\"app\":{\"name\":\"RudderLabs JavaScript SDK\",\"namespace\":\"com.r"
    "udderlabs.javascript\",\"version\":\"3.34.1\",\"installType\":\"npm\"},\"library\":{"
    "\"name\":\"RudderLabs JavaScript SDK\",\"version\":\"3.34.1\",\"variant\":\"bundled"
    "\"},\"userAgent\":\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like "
    "Gecko) HeadlessChrome/156.0.0.0 Safari/537.36\",\"os\":{\"name\":\"\",\"version\":\""
    "\"},\"locale\":\"en-US\",\"screen\":{\"width\":800,\"height\":600,\"density\":1,\"in"
    "nerWidth\":800,\"innerHeight\":600},\"campaign\":{},\"page\":{\"path\":\"/rs.html\","
    "\"referrer\":\"$direct\",\"referring_domain\":\"\",\"search\":\"?batch\",\"title\":"
    "\"RS page\",\"url\":\"http://127.0.0.1:18090/rs.html?batch\",\"tab_url\":\"http://12"
    "7.0.0.1:18090/rs.html?batch\",\"initial_referrer\":\"$direct\",\"initial_referring_d"
    "omain\":\"\"},\"timezone\":\"GMT+0000\"},\"channel\":\"web\",\"originalTimestamp\":"
    "\"2026-11-22T01:26:54.823Z\",\"messageId\":\"bfdd515d-3d9c-49c4-9158-da4c67e61294\","
    "\"anonymousId\":\"70513aad-c7e1-457e-a911-c313b7e07c64\",\"integrations\":{\"All\":t"
    "rue},\"sentAt\":\"2026-11-22T01:26:54.826Z\"}],\"sentAt\":\"2026-11-22T01:26:54.826Z"
    "\"}";

#endif
