"""A person in front of the page, in headless Chromium. Started by in-a-browser.sh:

    in_a_browser.py URL FOLDER [SCREENSHOTS]

Standard output asks the laboratory for what is to happen, a word a line, and standard input says that
it has; standard error tells the steps, the figures, and what was wrong. Exit status 1 if something was.
"""
import json
import os
import sys
import time
import traceback

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

URL, FOLDER = sys.argv[1], sys.argv[2]
SCREENSHOTS = sys.argv[3] if len(sys.argv) > 3 else ''
PATIENCE_S = 40
FLAGS = ['--headless=new', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--disable-dev-shm-usage',
         '--disable-background-networking', '--disable-component-update', '--no-first-run']


def tell(words):
    print(words, file=sys.stderr, flush=True)


def laboratory(words):
    """Has something happen, and waits until it has."""
    print(words, flush=True)
    if sys.stdin.readline().strip() != 'done':
        raise AssertionError(f'the laboratory could not: {words}')


def open_browser():
    options = Options()
    options.binary_location = '/usr/bin/chromium'
    for flag in FLAGS + [f'--user-data-dir={FOLDER}/profile']:
        options.add_argument(flag)
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
    return webdriver.Chrome(options=options, service=Service('/usr/bin/chromedriver'))


class Person:
    def __init__(self, browser):
        self.browser = browser
        self.size(1280, 900)
        self.media('light')

    # --- the screen ---

    def size(self, width, height):
        self.browser.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', {
            'width': width, 'height': height, 'deviceScaleFactor': 1, 'mobile': width < 700})

    def media(self, scheme, motion='no-preference'):
        self.browser.execute_cdp_cmd('Emulation.setEmulatedMedia', {'features': [
            {'name': 'prefers-color-scheme', 'value': scheme}, {'name': 'prefers-reduced-motion', 'value': motion}]})

    def shoot(self, name):
        if SCREENSHOTS:
            os.makedirs(SCREENSHOTS, exist_ok=True)
            self.browser.save_screenshot(os.path.join(SCREENSHOTS, f'{name}.png'))

    # --- looking ---

    def go(self, address=''):
        self.browser.get(URL + address)

    def find(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return self.run('return document.querySelector(arguments[0]).textContent', selector)

    def run(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def address(self):
        return self.browser.current_url

    def wait(self, what, condition, patience_s=PATIENCE_S):
        until = time.monotonic() + patience_s
        while True:
            try:
                found = condition()
            except Exception as trouble:  # a page that is being changed
                found, last = None, trouble
            else:
                last = None
            if found:
                return found
            if time.monotonic() > until:
                raise AssertionError(f'waited in vain: {what}{f" ({last})" if last else ""}')
            time.sleep(0.1)

    def see(self, selector, words):
        self.wait(f'{selector} says "{words}"', lambda: words in self.text(selector))

    def wells(self, kind='value'):
        return self.run('return document.querySelectorAll("#map rect[role=gridcell]." + arguments[0]).length', kind)

    def well(self, name):
        return self.find(f'#well-{name}')

    def label(self, name):
        return self.well(name).get_attribute('aria-label')

    def focused(self):
        return self.run('const a = document.activeElement; return a.id || a.textContent.trim()')

    # --- doing ---

    def press(self, *keys):
        for key in keys:
            ActionChains(self.browser).send_keys(key).perform()

    def choose(self, field, words):
        Select(self.find(f'#{field}')).select_by_visible_text(words)

    def map_is(self, words, wells):
        self.see('#map-title', words)
        self.wait(f'{wells} wells with a value', lambda: self.wells() == wells)


STEPS = []


def step(function):
    STEPS.append(function)
    return function


def expect(what, found, wanted):
    assert found == wanted, f'{what}: {found!r}, wanted {wanted!r}'


# --- what a person does, in this order ---

@step
def opens_the_page_and_sees_the_plate_being_imaged(person):
    person.go()
    person.map_is('P1', 96)
    expect('wells of the plate', len(person.all('#map rect[role=gridcell]')), 96)
    person.see('#live-words', 'live')
    person.see('#map-words', '96 of 96 wells')
    person.wait('pictures', lambda: person.run(
        'const p = [...document.querySelectorAll("#frames img")]; return p.length > 8 && p.slice(0, 8).every(i => i.naturalWidth > 0)'))
    paints = person.run('return performance.getEntriesByName("first-contentful-paint")[0].startTime')
    first = person.run('return performance.getEntriesByName("first-map")[0].startTime')
    tell(f'figure: first paint {paints:.0f} ms, first map {first:.0f} ms')
    assert paints < 5000, 'the first paint takes long even for a busy machine'
    person.shoot('open-1280-light')


@step
def chooses_plate_measure_and_channel(person):
    person.choose('plate', 'P384')
    person.map_is('P384', 384)
    person.choose('measure', 'mean')
    person.map_is('P384 · mean', 384)
    person.choose('channel', 'GFP')
    person.see('#map-title', 'GFP')
    for words in ('plate=P384', 'measure=mean', 'channel=GFP'):
        assert words in person.address(), person.address()
    expect('hatched wells', person.wells('missing'), 0)
    person.shoot('plate-of-384-wells')


@step
def passes_the_link_on(person):
    person.go('?source=scope&plate=P1&measure=std&channel=2&well=C05&show=well')
    person.map_is('P1 · std · channel 2', 96)
    person.see('#well-name', 'C05')
    expect('the plate chosen', Select(person.find('#plate')).first_selected_option.text, 'P1')
    expect('the measure chosen', Select(person.find('#measure')).first_selected_option.text, 'std')
    person.wait('frames of the well', lambda: len(person.all('#frames button.frame')) == 1)


@step
def clicks_a_well_and_reads_its_numbers(person):
    person.go('?plate=P1&measure=mean')
    person.map_is('P1 · mean', 96)
    person.well('D07').click()
    person.see('#well-name', 'D07')
    person.see('#well-words', 'mean')
    person.wait('numbers', lambda: len(person.all('#well-numbers tr')) > 50)
    expect('the first number', person.text('#well-numbers th'), 'mean')
    person.find('#well-filter').send_keys('focus')
    person.wait('found numbers', lambda: 0 < len(person.all('#well-numbers tr')) < 20)
    person.wait('frames of the well', lambda: person.text('#tabs [aria-selected=true]') == 'Well D07')
    assert 'well=D07' in person.address(), person.address()


@step
def goes_over_the_wells_with_the_keyboard_alone(person):
    person.go('?plate=P1&measure=mean')
    person.map_is('P1 · mean', 96)
    person.press(Keys.TAB)
    expect('the first stop', person.focused(), 'Skip to the plate map')
    person.press(Keys.ENTER, Keys.TAB)
    expect('behind the skip link', person.focused(), 'well-A01')
    person.press(Keys.ENTER, Keys.ARROW_RIGHT, Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    expect('after the arrows', person.focused(), 'well-C02')
    person.see('#well-name', 'C02')
    assert person.label('C02').startswith('C02, mean 0.'), person.label('C02')
    expect('selected', person.well('C02').get_attribute('aria-selected'), 'true')
    person.shoot('keyboard-on-a-well')
    person.press(Keys.END)
    expect('at the end', person.focused(), 'well-C12')
    person.press(Keys.ARROW_RIGHT)
    expect('and not beyond', person.focused(), 'well-C12')
    person.press(Keys.ESCAPE)
    person.see('#well-name', 'No well chosen')
    # Every stop can be seen: the ring of a well, else an outline.
    for _ in range(25):
        person.press(Keys.TAB)
        seen = person.run('''const a = document.activeElement;
            if (a === document.body || a.closest('#map')) return true;
            const s = getComputedStyle(a); return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 1''')
        assert seen, f'the focus on {person.focused()!r} cannot be seen'


@step
def looks_at_the_worst_frames_and_at_one(person):
    person.go('?plate=P1&measure=focus&channel=1')
    person.map_is('P1 · focus', 96)
    tab = person.find('#tabs [data-show=lowest]')
    tab.click()
    person.wait('lowest frames', lambda: len(person.all('#frames button.frame')) == 24)
    values = [float(button.text) for button in person.all('#frames .value')]
    expect('in order', values, sorted(values))
    tab.send_keys(Keys.ARROW_RIGHT)
    expect('the next tab', person.text('#tabs [aria-selected=true]'), 'Highest focus')
    person.wait('highest frames', lambda: float(person.all('#frames .value')[0].text) > values[-1])
    frame = person.all('#frames button.frame')[0]
    frame.send_keys(Keys.ENTER)
    person.wait('the frame', lambda: len(person.all('#frame-numbers tr')) > 50)
    person.see('#frame-steps', 'stored')
    person.see('#frame-words', 'white is')
    person.shoot('one-frame')
    person.press(Keys.ESCAPE)
    person.wait('closed', lambda: not person.find('#frame').is_displayed())
    expect('the focus is back', person.run('return document.activeElement.className'), 'frame')
    cached = person.run('''return fetch(document.querySelector('#frames img').src).then(a => a.headers.get('cache-control'))''')
    assert 'immutable' in cached, cached


@step
def looks_on_a_phone(person):
    for width, height in ((360, 740), (390, 844)):
        person.size(width, height)
        person.go('?plate=P384&measure=focus')
        person.map_is('P384 · focus', 384)
        wide = person.run('return document.documentElement.scrollWidth')
        assert wide <= width, f'the page is {wide} wide on a screen of {width}'
        right = person.run('return document.querySelector("#map").getBoundingClientRect().right')
        assert right <= width, f'the map ends at {right}'
        person.find('#steps [data-move=ArrowRight]').click()
        person.find('#steps [data-move=ArrowDown]').click()
        person.see('#well-name', 'B01')
        person.shoot(f'phone-{width}-light')
    person.media('dark')
    person.go('?plate=P1536&measure=focus')
    person.map_is('P1536 · focus', 1536)
    assert person.run('return document.querySelector("#map").getBoundingClientRect().right') <= 390
    person.shoot('phone-390-dark-1536')
    person.media('light')
    person.size(1280, 900)


def ground(person):
    return person.run('return getComputedStyle(document.body).backgroundColor')


@step
def turns_the_lights_off_and_on(person):
    person.go('?plate=P1&measure=focus')
    light = ground(person)
    person.media('dark')
    dark = ground(person)
    assert light != dark, 'the page does not follow the system'
    person.map_is('P1 · focus', 96)
    person.shoot('open-1280-dark')
    person.find('#theme').click()
    person.find('#theme').click()
    assert 'theme=light' in person.address(), person.address()
    expect('light by choice', ground(person), light)
    person.media('light')
    person.go('?theme=dark')
    expect('dark by the address', ground(person), dark)


@step
def wants_nothing_to_move(person):
    person.media('light', 'reduce')
    person.go('?plate=P1')
    person.map_is('P1', 96)
    person.well('B02').click()
    expect('animations', person.run('return document.getAnimations().length'), 0)
    person.media('light')


@step
def sees_new_frames_come(person):
    person.go('?plate=P1&measure=frames&channel=1')
    person.map_is('P1 · frames', 96)
    assert 'frames 1' in person.label('A01'), person.label('A01')
    before = person.run('return document.querySelector("#frames button.frame").dataset.id')
    expect('all alike', person.well('A01').get_attribute('fill'), person.well('B01').get_attribute('fill'))
    laboratory('image_one_well_more')
    person.wait('the well has more frames', lambda: 'frames 3' in person.label('A01'))
    assert person.well('A01').get_attribute('fill') != person.well('B01').get_attribute('fill'), 'the colours stayed'
    person.wait('a newer frame stands first',
                lambda: person.run('return document.querySelector("#frames button.frame").dataset.id') != before)


@step
def hears_of_an_alert(person):
    person.go()
    person.map_is('P1', 96)
    person.see('#live-words', 'live')
    person.wait('alerts were told', lambda: person.text('#alerts'))
    laboratory('image_something_wrong')
    person.see('#alerts', 'P2')
    person.see('#said', 'New alert')
    person.see('#map-title', 'P2')  # the plate being imaged is followed
    person.wait('its well is marked', lambda: len(person.all('#map path.alert')) >= 1)
    assert 'alert' in person.label('B03'), person.label('B03')
    assert person.browser.title.startswith('('), person.browser.title
    person.shoot('an-alert')
    [button] = [b for b in person.all('#alerts button') if b.text == 'worst frame'][:1]
    button.click()
    person.see('#frame-title', 'B03')
    person.find('#frame-close').click()


@step
def is_told_that_the_database_is_away_and_is_back(person):
    person.go('?plate=P1&measure=frames')
    person.map_is('P1 · frames', 96)
    laboratory('stop_postgres')
    person.see('#trouble', 'PostgreSQL')
    assert person.find('#trouble').is_displayed()
    expect('what was known stays', person.wells(), 96)
    person.shoot('database-away')
    laboratory('start_postgres')
    person.wait('it is back', lambda: not person.find('#trouble').is_displayed())
    person.see('#live-words', 'live')


@step
def is_told_that_nats_is_away_and_is_back(person):
    laboratory('stop_nats')
    person.see('#trouble', 'NATS is away')
    laboratory('start_nats')
    person.wait('it is back', lambda: not person.find('#trouble').is_displayed())


@step
def goes_on_when_the_server_of_the_page_does(person):
    laboratory('stop_page')
    person.see('#trouble', 'does not answer')
    laboratory('start_page')
    person.wait('it is back', lambda: not person.find('#trouble').is_displayed())
    person.see('#live-words', 'live')
    person.browser.get_log('browser')  # of the refused connections


@step
def meets_names_that_are_markup(person):
    laboratory('seed_hostile_plate')
    person.go()
    person.see('#plates', '<img src=x')
    name = next(o.text for o in Select(person.find('#plate')).options if o.text.startswith('<img'))
    person.choose('plate', name)
    person.see('#map-title', '<img src=x onerror=alert(\'plate\')>')
    person.wait('its wells', lambda: person.wells() == 6)
    expect('images of strangers', person.run('return document.querySelectorAll("img[src=x]").length'), 0)
    person.shoot('hostile-plate')
    person.go(person.address().removeprefix(URL))
    person.wait('its wells by the address', lambda: person.wells() == 6)


@step
def sees_that_a_frame_has_no_value_rather_than_its_priority(person):
    laboratory('take_a_value_away')
    person.go('?plate=P2&measure=focus')
    person.wait('its frames', lambda: len(person.all('#frames button.frame')) >= 3)
    without = person.find('#frames button[title*="B03"]')
    expect('the caption', without.find_element(By.CSS_SELECTOR, '.value').get_attribute('textContent'), '–')
    assert 'no value of focus' in without.get_attribute('title')


@step
def sees_which_wells_are_beyond_the_scale(person):
    laboratory('make_two_wells_hot_and_cold')
    person.go('?plate=P384&measure=focus&channel=DAPI')
    person.see('#measure-words', '▼ 1 well below, ▲ 1 well above')
    expect('marks', len(person.all('#map path.beyond')), 2)
    assert 'above the scale' in person.label('B03') and 'below the scale' in person.label('C05')
    assert 'the scale' not in person.label('B04')


@step
def sees_the_newest_plate_though_newer_frames_have_none(person):
    laboratory('image_without_a_plate')
    person.go('?measure=focus')
    person.see('#plates', '(no plate)')
    assert '(no plate)' not in person.text('#map-title'), person.text('#map-title')
    person.wait('a map', lambda: person.wells() > 0)


@step
def follows_a_link_to_what_is_not_there(person):
    person.go('?plate=Nowhere&measure=focus')
    person.see('#map-empty', 'There is no plate called Nowhere.')
    expect('wells', len(person.all('#map rect[role=gridcell]')), 0)
    person.go('?plate=P384&measure=focus&channel=Cy5')
    person.see('#map-empty', 'P384 has no channel Cy5; it has: DAPI, GFP.')
    person.choose('channel', 'GFP')
    person.map_is('P384 · focus · channel GFP', 384)


@step
def sees_a_scale_of_a_single_value(person):
    laboratory('make_all_wells_alike')
    person.go('?plate=P2&measure=mean')  # of which no answer is kept from before
    person.wait('one value at the scale', lambda: [tick.text for tick in person.all('#scale .axis text')] == ['0.7'])


@step
def comes_to_the_map_from_a_list_on_a_phone(person):
    person.size(390, 844)
    person.go('?plate=P384&measure=focus')
    person.wait('the plates', lambda: len(person.all('#plates button.link')) > 1)
    person.run('document.getElementById("plates").scrollIntoView()')
    person.run('[...document.querySelectorAll("#plates button.link")].find(b => b.textContent === "P2").click()')
    person.see('#map-title', 'P2')
    top = person.run('return document.getElementById("map-card").getBoundingClientRect().top')
    person.size(1280, 900)
    assert -5 <= top < 400, f'the map stands at {top}'


@step
def is_sent_hostile_links(person):
    markup = '%3Cimg%20src%3Dx%20onerror%3Ddocument.title%3D%22taken%22%3E'
    drop = "';drop%20schema%20scopestream%20cascade;--"
    for words in (markup, drop, '%00', '%ff', 'x' * 9000, '__proto__', '%22%7D%5D', 'javascript:alert(1)'):
        for key in ('plate', 'measure', 'channel', 'well', 'show', 'theme', 'source', 'experiment'):
            person.go(f'?{key}={words}')
            if words in ('%00', '%ff') or len(words) > 5000:
                continue  # no text, or too much of it: the server refuses that, in a line
            person.wait('the page lives', lambda: person.text('#live-words').startswith('live'))
    expect('images of strangers', person.run('return document.querySelectorAll("img[src=x]").length'), 0)
    assert 'taken' not in person.browser.title
    person.go('?plate=P1&measure=focuss')
    person.see('#map-empty', 'focuss')
    person.go('?plate=P1&measure=focus')
    person.map_is('P1 · focus', 96)
    person.browser.get_log('browser')  # of what was refused


@step
def measures_how_fast_it_is(person):
    for plate, wells in (('P384', 384), ('P1536', 1536)):
        person.go(f'?plate={plate}&measure=focus&channel=DAPI')
        person.map_is(f'{plate} · focus', wells)
    laboratory('change_large_plates')
    for plate, wells in (('P384', 384), ('P1536', 1536)):
        person.go(f'?plate={plate}&measure=focus&channel=DAPI')
        person.map_is(f'{plate} · focus', wells)
        person.run('performance.clearMeasures()')
        for measure in ('mean', 'focus') * 3:
            person.choose('measure', measure)
            person.map_is(f'{plate} · {measure}', wells)
        person.wait('news', lambda: person.run('return performance.getEntriesByName("update").length') >= 4)
        times = json.loads(person.run('''return JSON.stringify(['update', 'map'].map(n =>
            performance.getEntriesByName(n).map(e => e.duration).sort((a, b) => a - b)))'''))
        for name, durations in zip(('update', 'map'), times):
            least, middle, worst = durations[0], durations[len(durations) // 2], durations[-1]
            tell(f'figure: {wells} wells: {name} median {middle:.0f} ms, worst {worst:.0f} ms of {len(durations)}')
            # What others do on this machine is no fault of the page's.
            assert least < 100 and middle < 400, f'{name} takes {least:.0f} ms at best'


def complaints(person):
    return [entry['message'] for entry in person.browser.get_log('browser')
            if entry['level'] == 'SEVERE' and 'ERR_CONNECTION_REFUSED' not in entry['message']
            and '503' not in entry['message'] and 'ERR_INCOMPLETE_CHUNKED' not in entry['message']
            and 'net::ERR_' not in entry['message']]


def main():
    browser = open_browser()
    person = Person(browser)
    try:
        for action in STEPS:
            begun = time.monotonic()
            name = action.__name__.replace('_', ' ')
            try:
                action(person)
                expect('complaints of the browser', complaints(person), [])
            except Exception:
                tell(f'wrong: {name}\n{traceback.format_exc()}')
                tell(f'the page said: {person.run("return document.body.innerText")[:1500]}')
                person.shoot('wrong')
                return 1
            tell(f'step: {name} ({time.monotonic() - begun:.1f} s)')
        return 0
    finally:
        browser.quit()


sys.exit(main())
