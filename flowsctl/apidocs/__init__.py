"""The API's description for people: Swagger UI over what PostgREST says of itself."""
