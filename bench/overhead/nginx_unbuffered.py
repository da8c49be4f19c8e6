"""Contender: nginx as a plain reverse proxy that passes an answer on as it comes."""
from nginx import Nginx


class NginxUnbuffered(Nginx):
    name = "nginx_unbuffered"
    label = "nginx, unbuffered"
    buffering = "off"
