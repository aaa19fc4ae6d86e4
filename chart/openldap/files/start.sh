#!/bin/sh
# Create the directory from users.ldif and run slapd on it. The programs and schemas are those of the image, Bitnami's or Debian's.
# Environment: LDAP_MANAGER_PASSWORD. Arguments: folder of slapd.conf and users.ldif, folder to write to.
set -eu
config=$1
work=$2
PATH=$PATH:/opt/bitnami/openldap/sbin:/opt/bitnami/openldap/bin:/usr/sbin
export PATH
umask 077

for schemas in /opt/bitnami/openldap/etc/schema /opt/bitnami/openldap/etc/openldap/schema /etc/ldap/schema /etc/openldap/schema; do
  [ -f "$schemas/core.schema" ] && break
done
if [ ! -f "$schemas/core.schema" ]; then
  echo "This image has no OpenLDAP schemas. Use an image with slapd and its schemas." >&2
  exit 1
fi
for modules in /usr/lib/ldap /usr/lib/openldap /opt/bitnami/openldap/lib/openldap /opt/bitnami/openldap/libexec/openldap none; do
  [ -e "$modules/back_mdb.la" ] || [ -e "$modules/back_mdb.so" ] && break
done

rm -rf "$work/data"
mkdir -p "$work/data"
printf '%s' "$LDAP_MANAGER_PASSWORD" >"$work/password"
hash=$(slappasswd -h '{SSHA}' -T "$work/password")
rm "$work/password"
{
  for schema in core cosine inetorgperson; do
    echo "include $schemas/$schema.schema"
  done
  if [ "$modules" != none ]; then
    echo "modulepath $modules"
    echo "moduleload back_mdb"
  fi
  sed "s|@WORK@|$work|; s|@HASH@|$hash|" "$config/slapd.conf"
} >"$work/slapd.conf"
sed "s|@HASH@|$hash|" "$config/users.ldif" | slapadd -f "$work/slapd.conf"
exec slapd -d 256 -f "$work/slapd.conf" -h "ldap://:${LDAP_PORT:-1389}/"
