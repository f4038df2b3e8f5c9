"""Photographs a page in headless Chromium: shoot.py ADDRESS FILE.png WIDTHxHEIGHT|fit light|dark

fit: as large as what stands in the page's first element.
"""
import sys
import time

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

SETTLE_S = 4  # the page's pictures come after it


def open_browser():
    options = Options()
    options.binary_location = '/usr/bin/chromium'
    for flag in ['--headless=new', '--no-sandbox', '--disable-gpu', '--hide-scrollbars']:
        options.add_argument(flag)
    return webdriver.Chrome(options=options, service=Service('/usr/bin/chromedriver'))


def set_screen(browser, size, theme):
    width, height = (1600, 1200) if size == 'fit' else map(int, size.split('x'))
    browser.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', {
        'width': width, 'height': height, 'deviceScaleFactor': 1, 'mobile': width < 700})
    browser.execute_cdp_cmd('Emulation.setEmulatedMedia', {
        'features': [{'name': 'prefers-color-scheme', 'value': theme}]})


def main(address, file, size, theme):
    browser = open_browser()
    try:
        set_screen(browser, size, theme)
        browser.get(address)
        time.sleep(SETTLE_S)
        if size == 'fit':
            browser.find_element(By.CSS_SELECTOR, 'body > *').screenshot(file)
        else:
            browser.save_screenshot(file)
    finally:
        browser.quit()


main(*sys.argv[1:])
