# Verifies access tokens by ruby-jwt from the JWKS alone: `jwt.rb ISSUER`, a token a line in, `yes` or `no: why` out.
require 'json'
require 'jwt'
require 'net/http'
require 'rbnacl'

issuer = ARGV[0]
jwks = JSON.parse(Net::HTTP.get(URI("#{issuer}/.well-known/jwks.json")))
# Debian's ruby-jwt reads no Ed25519 key from a JWK: its `x` is the key.
keys = jwks['keys'].to_h do |jwk|
  [jwk['kid'], RbNaCl::Signatures::Ed25519::VerifyKey.new(JWT::Base64.url_decode(jwk['x']))]
end
required = %w[iss aud sub sid scope iat nbf exp jti]
demands = {
  algorithms: ['EdDSA'], iss: issuer, verify_iss: true, aud: issuer, verify_aud: true, required_claims: required
}

STDIN.each_line(chomp: true) do |token|
  _, header = JWT.decode(token, nil, true, demands) do |header|
    keys.fetch(header['kid']) { raise JWT::VerificationError }
  end
  puts header['typ'] == 'at+jwt' ? 'yes' : 'no: typ'
rescue JWT::DecodeError => fault
  puts "no: #{fault.inspect}"
end
