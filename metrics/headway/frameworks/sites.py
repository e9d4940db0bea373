"""Well-known sites by what they are: search engines, shops, places to watch videos, places to meet people.

A name without a dot is a brand: it means the bare name and every host of it in any country (``google`` is ``google``,
``google.de`` and ``lens.google.com``). A name with a dot is a host with everything below it, and comes before its
brand. Kept by hand; who misses a site adds it.
"""

from __future__ import annotations

_SEARCH = """
    google google-play bing msn yahoo duckduckgo ecosia qwant startpage brave kagi ask aol lycos excite dogpile exalead
    baidu sogou 360 so haosou naver daum rakuten biglobe auone docomo yandex rambler mail.ru go.mail.ru ukr tut
    seznam centrum firmy najdi onet eniro kvasir startsiden virgilio alice terra globo babylon avg conduit incredimail
    search-results comcast cnn perplexity mojeek swisscows presearch
"""
_SHOPPING = """
    amazon amazon-adsystem amazonaws ebay etsy walmart target bestbuy alibaba aliexpress taobao tmall jd temu shein
    shopify shop.app stripe shopzilla shopping mercadolibre mercadolivre zalando otto allegro flipkart lazada shopee
    wish vinted igshopping simplycodes idealo pricerunner kelkoo shopping.google.com shopping.yahoo.com
    shopping.yahoo.co.jp shopping.naver.com
"""
_VIDEO = """
    youtube youtu.be vimeo wistia dailymotion twitch justin netflix hulu disneyplus crackle curiositystream veoh youku
    iqiyi iq ted utreon d.tube rumble bilibili odysee peertube kick viadeo.journaldunet.com
"""
_SOCIAL = """
    facebook fb fb.me instagram threads messenger whatsapp twitter t.co x.com tweetdeck linkedin lnkd pinterest snapchat
    tiktok reddit tumblr quora telegram t.me discord mastodon bsky weibo wechat weixin qzone tencent renren douban
    tudou vk vkontakte odnoklassniki ok.ru line kakao kakaocorp zalo viber skype yammer slack xing viadeo meetup
    nextdoor myspace bebo hi5 orkut friendster tagged taggedmail badoo twoo tuenti hyves studivz meinvz wer-weiss-was
    gutefrage mixi gree mbga yahoo-mbga ameba ameblo hatena hateblo nicovideo niconico pixiv cyworld okwave 5ch livedoor
    livedoorblog fc2 exblog cocolog-nifty gooblog goo.ne.jp blogger blogspot wordpress livejournal typepad movabletype
    medium over-blog overblog canalblog skyrock unblog centerblog blogg xanga posterous weebly edublogs blog blogs
    blogher bloglines blogsome blogster bloggang insanejournal opendiary vampirefreaks vampirerave stardoll habbo
    secondlife imvu gaiaonline kaneva activeworlds elftown cellufun mocospace fubar nexopia hoverspot
    digg delicious slashdot meneame fark techmeme news.ycombinator.com dzone stumbleupon mix diigo pinboard pocket
    getpocket instapaper netvibes flipboard feedspot scoop paper.li hootsuite bit.ly goo.gl is.gd tinyurl awe.sm
    addthis sharethis shareit ushareit disqus flickr photobucket webshots imageshack fotki fotolog deviantart artstation
    goodreads librarything anobii weread listal listography last.fm blip reverbnation ravelry crunchyroll myanimelist
    filmaffinity mubi fandom fanpop buzznet buzzfeed screenrant tripadvisor travellerspoint couchsurfing internations
    wikitravel foursquare gowalla brightkite yelp dianping urbanspoon menuism mouthshut trustpilot glassdoor houzz
    allrecipes epicurious cafemom baby-gaga babyblog care2 care caringbridge dailystrength drugs-forum intherooms
    allnurses italki interpals academia researchgate slideshare scribd chegg answerbag answers aolanswers blurtit
    wikihow hubpages shvoong squidoo stackoverflow stackexchange serverfault superuser askubuntu stackapps quechup
    classmates classquest alumniclass trombi copainsdavant.linternaute.com reunion mylife ancestry myheritage geni
    spoke ryze ning groups.google.com googlegroups google+ googleplus plus.google.com plus.url.google.com
    sites.google.com messages.google.com newsshowcase smartnews answers.yahoo.com messages.yahoo.co.jp blog.yahoo.co.jp
    bookmarks.yahoo.com bookmarks.yahoo.co.jp chiebukuro.yahoo.co.jp pulse.yahoo.com blog.naver.com cafe.naver.com
    kin.naver.com my.opera.com lifestream.aol.com spaces.live.com taringa irc-galleria suomi24 draugiem goldenline
    partyflock vg.no zoo.gr playahead faceparty jappy dol2day fruehstueckstreff.org biip ushi qzone.qq.com ig ibibo
    bharatstudent ngopost asmallworld blackplanet hubculture airg spruz onstartups govloop activerain doostang
    talkbiznow salespider athlinks dopplr scvngr wakoopa glassboard brizzly gamerdna godtube cozycot catster dogster
    feministing wattpad mymodernmet zooppa 43things americantowns chicagonow beforeitsnews pingsta sweeva extole
    qapacity camospace nightlifelink jammerdirect plurk identi.ca friendfeed formspring ask.fm kaboodle stickam social
    socialvibe
"""

_BY_KIND = {"search": _SEARCH, "shopping": _SHOPPING, "video": _VIDEO, "social": _SOCIAL}

SITES = {name: kind for kind, names in _BY_KIND.items() for name in names.split()} | {
    "google shopping": "shopping"
}
"""Name or host -> ``search``, ``shopping``, ``video`` or ``social``."""
