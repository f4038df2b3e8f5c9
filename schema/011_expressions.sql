-- Expressions: what models and rules are written in. Text over measures is read word by word, each word is
-- looked up, and SQL of our own making is put in its place: what is not known here cannot get through, and
-- nothing that is known here can do anything but compute. docs/expressions.md tells it to people.

set client_min_messages = warning;
set role scopestream_owner;

-- --- the words ---

-- fewest and most: numbers a function takes. sql: $1, $2, ... stand for them, $* for all of them; of a context
-- function $1 is the SQL of its argument and $i the number of the feature it is. v is the row of result, f of
-- frame, b what is usual, h what the site showed before, s the default model's score: evaluation_joins().
create table if not exists scopestream_data.expression_function (
    name text primary key check (name ~ '^[a-z][a-z0-9_]*$'),
    kind text not null check (kind in ('function', 'context', 'name', 'keyword')),
    usage text not null, -- as one writes it
    fewest integer not null default 0,
    most integer not null default 0,
    sql text,
    requires text, -- a measure that must be announced
    sentence text not null
);
truncate scopestream_data.expression_function;

-- Arithmetic that has no answer is unknown: the templates lead it to NULL without naming an argument twice, or
-- nested calls would double the text each time. greatest() ignores NULL, so that NULL goes the way of <= 0.
-- float8smaller() and float8larger() are NULL where one of the two is.
insert into scopestream_data.expression_function (name, kind, usage, fewest, most, sql, sentence) values
('abs', 'function', 'abs(x)', 1, 1, 'abs($1)', 'the size of x, without its sign'),
('sqrt', 'function', 'sqrt(x)', 1, 1,
    -- the least number above zero: every number below zero is as far below it or farther
    'sqrt(nullif(greatest($1, ''-4.9e-324''::float8), ''-4.9e-324''::float8))',
    'the square root; unknown below 0'),
('exp', 'function', 'exp(x)', 1, 1,
    'exp(float8larger(nullif(float8smaller($1, ''709.78''::float8), ''709.78''::float8), ''-708''::float8))',
    'e to the power of x; unknown from 709.78 on, where it is too large for a number'),
('ln', 'function', 'ln(x)', 1, 1, 'ln(nullif(greatest($1, 0::float8), 0::float8))',
    'the natural logarithm; unknown for 0 and below'),
('log', 'function', 'log(x)', 1, 1, 'log(nullif(greatest($1, 0::float8), 0::float8))',
    'the logarithm of base 10; unknown for 0 and below'),
('power', 'function', 'power(x, y)', 2, 2, 'scopestream_data.power_or_unknown($1, $2)',
    'x to the power of y; unknown where that is no number, as for a root of x below 0'),
('floor', 'function', 'floor(x)', 1, 1, 'floor($1)', 'the next whole number below'),
('ceil', 'function', 'ceil(x)', 1, 1, 'ceil($1)', 'the next whole number above'),
('round', 'function', 'round(x)', 1, 1, 'round($1)', 'the nearest whole number; a half goes to the even one'),
('sign', 'function', 'sign(x)', 1, 1, 'sign($1)', '-1, 0 or 1'),
('least', 'function', 'least(x, y, ...)', 1, 100, 'least($*)',
    'the smallest of those that are known; unknown only if none is'),
('greatest', 'function', 'greatest(x, y, ...)', 1, 100, 'greatest($*)',
    'the largest of those that are known; unknown only if none is'),
('coalesce', 'function', 'coalesce(x, y, ...)', 1, 100, 'coalesce($*)', 'the first that is known'),
('nullif', 'function', 'nullif(x, y)', 2, 2, 'nullif($1, $2)', 'x, but unknown where it equals y'),
('logistic', 'function', 'logistic(x, k, x0)', 3, 3,
    '(1::float8 / (1::float8 + exp(float8larger(float8smaller('
    'float8larger(float8smaller(- $2, ''1e150''::float8), ''-1e150''::float8) '
    '* float8larger(float8smaller($1 - $3, ''1e150''::float8), ''-1e150''::float8), 700::float8), -700::float8))))',
    '1 / (1 + exp(-k (x - x0))): from 0 to 1, one half at x0, rising with x where k is positive; never overflows'),
('clamp', 'function', 'clamp(x, low, high)', 3, 3, 'float8larger(float8smaller($1, $3), $2)',
    'x, but low where it is below low, and high where it is above high'),
('z', 'context', 'z(e)', 1, 1,
    'case when b.counts[$i] >= 24 then ($1 - b.medians[$i]) / nullif(1.4826::float8 * b.mads[$i], 0::float8) end',
    'the robust z of e: by how many 1.4826 MAD it lies above the median of what is usual; unknown below 24 values '
    'and where the MAD is 0'),
('rank', 'context', 'rank(e)', 1, 1, 'scopestream_data.rank_in($1, b.quantiles, $i)',
    'the share of what is usual that lies below e, from 0 to 1'),
('median', 'context', 'median(e)', 1, 1, 'b.medians[$i]', 'the median of e over what is usual'),
('mad', 'context', 'mad(e)', 1, 1, 'b.mads[$i]',
    'the median distance of e from its median over what is usual, without the factor 1.4826'),
('n', 'context', 'n(e)', 1, 1, 'coalesce(b.counts[$i], 0)::float8', 'how many values of e its median is made of'),
('before', 'context', 'before(e)', 1, 1, 'h."values"[1][$i]',
    'e of the frame before at the same site, channel and plane; unknown for the first'),
('tau', 'context', 'tau(e)', 1, 1, 'scopestream_data.trend($1, h."values", $i)',
    'Kendall''s tau of e against time over the last 10 frames at the site, from -1, falling, to 1, rising; unknown '
    'below 10'),
('site', 'name', 'site', 0, 0, 'f.site::float8', 'the field of view in the well'),
('plane', 'name', 'plane', 0, 0, 'f.z::float8', 'the focal plane'),
('t', 'name', 't', 0, 0, 'f.t::float8', 'the time point'),
('well_row', 'name', 'well_row', 0, 0, 'scopestream.well_row(f.well)::float8', 'the row of the well, from 1'),
('well_column', 'name', 'well_column', 0, 0, 'scopestream.well_column(f.well)::float8',
    'the column of the well, from 1'),
('width', 'name', 'width', 0, 0, 'f.width::float8', 'of the frame, in pixels'),
('height', 'name', 'height', 0, 0, 'f.height::float8', 'of the frame, in pixels'),
('score', 'name', 'score', 0, 0, 's.score', 'the score the default model gave this frame; for rules'),
('case', 'keyword', 'case when c then x else y end', 0, 0, null,
    'x where the condition c holds, otherwise y; several when are tried in turn; without else it is unknown'),
('when', 'keyword', 'when c then x', 0, 0, null, 'of case: the next condition'),
('then', 'keyword', 'then x', 0, 0, null, 'of case: what it is where the condition holds'),
('else', 'keyword', 'else y', 0, 0, null, 'of case: what it is where no condition holds'),
('end', 'keyword', 'end', 0, 0, null, 'of case: its end'),
('and', 'keyword', 'c and d', 0, 0, null, 'both conditions hold'),
('or', 'keyword', 'c or d', 0, 0, null, 'one of the conditions holds, or both'),
('not', 'keyword', 'not c', 0, 0, null, 'the condition does not hold; also: not in, not between, is not null'),
('is', 'keyword', 'x is null', 0, 0, null, 'asks whether x is unknown; also: is not null'),
('null', 'keyword', 'null', 0, 0, null, 'unknown: what is computed with it is unknown too'),
('between', 'keyword', 'x between y and z', 0, 0, null, 'x is y or more, and z or less'),
('in', 'keyword', 'x in (y, z, ...)', 0, 0, null, 'x equals one of these'),
('true', 'keyword', 'true', 0, 0, null, 'a condition that always holds'),
('false', 'keyword', 'false', 0, 0, null, 'a condition that never holds');

insert into scopestream_data.expression_function (name, kind, usage, sql, requires, sentence) values
('change', 'name', 'change', 'h.change', 'tile_mean',
    'how much the picture differs from the one before at the same site: 1 - Pearson''s r of tile_mean; 0 is the same'),
('change_z', 'name', 'change_z', 'h.change_z', 'tile_mean',
    'the robust z of change among the up to 10 changes before at that site; unknown below 4'),
('same_pixels', 'name', 'same_pixels', 'scopestream_data.same_pixels(f, v.pixel_hash)::float8', 'pixel_hash',
    'how many earlier frames of this source showed exactly these pixels within a week; the same file written again '
    'is none');

create or replace function scopestream_data.power_or_unknown(x double precision, y double precision)
    returns double precision
    language sql immutable strict parallel safe set search_path = pg_catalog, pg_temp as $$
    select case when x = 0 then case when y > 0 then 0::float8 when y = 0 then 1::float8 end
                when x < 0 and y <> floor(y) then null
                when abs(y) > 1e6 or abs(y * ln(abs(x))) > 700 then null -- too large, or too small
                else power(x, y) end
$$;

-- Kendall's tau of a feature against time over a frame and the nine before it, the newest of these first.
create or replace function scopestream_data.trend(value double precision, earlier double precision[], feature integer)
    returns double precision
    language plpgsql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
declare
    backwards constant double precision[] := value || array(select unnest(earlier[1:9][feature:feature]));
begin
    if cardinality(array_remove(backwards, null)) < 10 then
        return null;
    end if;
    return scopestream_data.kendall(array[10, 9, 8, 7, 6, 5, 4, 3, 2, 1], backwards);
end
$$;

-- --- from text to words ---

do $$
begin
    if to_regtype('scopestream_data.compiled') is null then
        create type scopestream_data.compiled as (
            sql text,           -- a number, over v, f, b, h and s: evaluation_sql() joins these
            measures text[],    -- columns of result it reads
            features integer[], -- what it asks baseline or history for
            needs text[]);      -- of baseline, history, pixels, score
    end if;
    if to_regtype('scopestream_data.expression_token') is null then
        create type scopestream_data.expression_token as (
            word text, kind text, place integer, sql text, said text, type text, fewest integer, most integer);
    end if;
    if to_regtype('scopestream_data.expression_piece') is null then
        create type scopestream_data.expression_piece as (
            sql text,
            said text,     -- the same as people write it, in one way
            type text,     -- number or condition
            next integer); -- the token after it
    end if;
end
$$;

create or replace function scopestream_data.refuse_expression(reason text, place integer) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    raise exception '%, at character %', reason, place using errcode = 'invalid_parameter_value';
end
$$;

-- How many letters one has to change, add, take away or swap with the next.
create or replace function scopestream_data.letters_between(one text, other text) returns integer
    language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
    before integer[];
    above integer[];
    line integer[] := array(select generate_series(0, length(other)));
begin
    for i in 1 .. length(one) loop
        before := above;
        above := line;
        line := array[i];
        for j in 1 .. length(other) loop
            line[j + 1] := least(line[j] + 1, above[j + 1] + 1,
                above[j] + (substr(one, i, 1) <> substr(other, j, 1))::integer,
                case when i > 1 and j > 1 and substr(one, i - 1, 2) = reverse(substr(other, j - 1, 2))
                     then before[j - 1] + 1 end);
        end loop;
    end loop;
    return line[length(other) + 1];
end
$$;

create or replace function scopestream_data.nearest_word(word text, parts jsonb) returns text
    language sql stable set search_path = pg_catalog, pg_temp as $$
    select name
    from (select name from scopestream_data.measure where kind = 'number'
          union select name from scopestream_data.expression_function
          union select jsonb_object_keys(parts)) known,
         lateral (select scopestream_data.letters_between(word, name) as letters) distance
    where length(word) <= 63 and letters <= (length(word) + 1) / 3
    order by letters, abs(length(word) - length(name)), name limit 1
$$;

create or replace function scopestream_data.number_literal(word text, place integer) returns text
    language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
    return word::float8::text;
exception when numeric_value_out_of_range then
    perform scopestream_data.refuse_expression(format('%s is too large or too small a number', left(word, 40)), place);
end
$$;

-- Says why a word is none that can stand where it does.
create or replace function scopestream_data.refuse_word(token scopestream_data.expression_token, parts jsonb)
    returns void
    language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    word constant text := left(token.word, 63);
    other text := (select kind from scopestream_data.measure m where m.name = word);
    known constant scopestream_data.expression_function := (
        select e from scopestream_data.expression_function e where e.name = word);
    nearest text;
begin
    if token.kind = 'stranger' then
        perform scopestream_data.refuse_expression(
            format('''%s'' has no meaning here%s', word, case word when '^' then ': x to the power of y is power(x, y)'
                                                                   else '' end), token.place);
    elsif known.requires is not null then
        perform scopestream_data.refuse_expression(
            format('''%s'' needs the measure %s, which no worker has announced', word, known.requires), token.place);
    elsif known.name is not null then
        perform scopestream_data.refuse_expression(format('''%s'' is written %s', word, known.usage), token.place);
    elsif other = 'number' or parts ? word then
        perform scopestream_data.refuse_expression(format('''%s'' is a number and no function', word), token.place);
    elsif other is not null then
        perform scopestream_data.refuse_expression(
            format('''%s'' is of kind %s: only single numbers can be computed with', word, other), token.place);
    end if;
    nearest := scopestream_data.nearest_word(token.word, parts);
    perform scopestream_data.refuse_expression(
        format('unknown word ''%s''%s', word, coalesce(' (''' || nearest || '''?)', '')), token.place);
end
$$;

-- The words of an expression with what they mean, the last one of kind 'end'. A name before a bracket is a
-- function; otherwise parts come before the names of the language, and these before measures.
create or replace function scopestream_data.expression_tokens(expression text, parts jsonb)
    returns setof scopestream_data.expression_token
    language sql stable set search_path = pg_catalog, pg_temp as $$
    with written as (
        select n, lower(m[2] collate "C") as word, -- not as Turkish has it
               1 + length(m[1]) + coalesce(sum(length(m[1]) + length(m[2])) over (
                   order by n rows between unbounded preceding and 1 preceding), 0)::integer as place
        from regexp_matches(expression,
            '(\s*)(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|[a-z_][a-z0-9_]*|<=|>=|<>|!=|\S)', 'gi')
            with ordinality r(m, n)
        union all
        select 10000, 'the end', length(expression) + 1
    ), sorted as (
        select *, coalesce(lead(word) over (order by n) = '(', false) as called,
               case when n = 10000 then 'end' when word ~ '[0-9]' and word ~ '^[0-9.]' then 'number'
                    when word ~ '^[a-z_]' then 'word'
                    when word = any ('{(,),",",+,-,*,/,=,<>,!=,<,<=,>,>=}') then 'sign' else 'stranger' end as sort
        from written
    )
    select s.word,
           case when sort <> 'word' then sort
                when w.kind = 'keyword' then 'keyword'
                when called then coalesce(w.kind, 'unknown')
                when parts ? s.word then 'part'
                when w.requires is not null and not scopestream_data.has_columns(w.requires) then 'unknown'
                when w.name is not null then 'name'
                when m.name is not null then 'measure' else 'unknown' end,
           s.place,
           case when w.name is not null then w.sql when m.name is not null then format('v.%I', m.name) end,
           s.word, 'number', w.fewest, w.most
    from sorted s
    left join scopestream_data.expression_function w
        on sort = 'word' and w.name = s.word and (w.kind = 'keyword' or called = (w.kind in ('function', 'context')))
    left join scopestream_data.measure m on sort = 'word' and not called and m.name = s.word and m.kind = 'number'
    order by n
$$;

-- Looks words up. parts: name to what it was compiled to.
create or replace function scopestream_data.read_expression(expression text, parts jsonb)
    returns scopestream_data.expression_token[]
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    tokens scopestream_data.expression_token[] :=
        array(select t from scopestream_data.expression_tokens(expression, parts) t);
    part scopestream_data.expression_piece;
begin
    if cardinality(tokens) > 1001 then
        raise exception 'an expression has % words and signs: at most 1000', cardinality(tokens) - 1
            using errcode = 'invalid_parameter_value';
    end if;
    for i in 1 .. cardinality(tokens) loop
        if (tokens[i]).kind in ('unknown', 'stranger') then
            perform scopestream_data.refuse_word(tokens[i], parts);
        elsif (tokens[i]).kind = 'number' then
            tokens[i].said := scopestream_data.number_literal((tokens[i]).word, (tokens[i]).place);
            tokens[i].sql := quote_literal((tokens[i]).said) || '::float8';
        elsif (tokens[i]).kind = 'part' then
            part := jsonb_populate_record(null::scopestream_data.expression_piece, parts -> (tokens[i]).word);
            tokens[i].sql := part.sql;
            tokens[i].said := case when part.said ~ ' ' then '(' || part.said || ')' else part.said end;
            tokens[i].type := part.type;
        end if;
    end loop;
    return tokens;
end
$$;

-- --- parts ---

-- Which parts each part mentions, itself or by others; those of the expression stand under the name ''.
create or replace function scopestream_data.mentioned_parts(expression text, parts jsonb)
    returns table (part text, mentioned text)
    language sql stable set search_path = pg_catalog, pg_temp as $$
    with recursive direct as (
        select distinct e.key, lower(m[1] collate "C") as other
        from jsonb_each_text(parts || jsonb_build_object('', expression)) e, regexp_matches(e.value, '\w+', 'g') m
        where parts ? lower(m[1] collate "C")
    ), reached as (
        select key, other from direct
        union
        select r.key, d.other from reached r join direct d on d.key = r.other
    )
    select key, other from reached
$$;

-- The parts an expression mentions, each compiled once, those first that others are made of. The others stay as
-- names.
create or replace function scopestream_data.compile_parts(expression text, parts jsonb) returns jsonb
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    mentions jsonb[] := array(select to_jsonb(m) from scopestream_data.mentioned_parts(expression, parts) m);
    made jsonb := parts;
    name text;
begin
    select m ->> 'part' into name from unnest(mentions) m where m -> 'part' = m -> 'mentioned' order by 1 limit 1;
    if found then
        raise exception 'part ''%'' is made of itself', name using errcode = 'invalid_parameter_value';
    end if;
    for name in
        select o.m ->> 'mentioned' from unnest(mentions) o(m) where o.m ->> 'part' = ''
        order by (select count(*) from unnest(mentions) i(m) where i.m -> 'part' = o.m -> 'mentioned')
    loop
        made := made || jsonb_build_object(name, scopestream_data.compile_part(parts ->> name, made, name));
    end loop;
    return made;
end
$$;

create or replace function scopestream_data.compile_part(expression text, parts jsonb, name text)
    returns scopestream_data.expression_piece
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    return scopestream_data.parse_whole(expression, parts);
exception when invalid_parameter_value then
    raise exception 'part ''%'': %', name, sqlerrm using errcode = 'invalid_parameter_value';
end
$$;

-- --- from words to SQL ---

-- Each function here reads from the token at place on, and returns what it made and where it stopped. SQL is
-- put together only from pieces made here and from words looked up above, always in brackets.

create or replace function scopestream_data.expect_type(piece scopestream_data.expression_piece, wanted text,
                                                        spot text, place integer) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if piece.type <> wanted then
        perform scopestream_data.refuse_expression(
            format('%s stands a %s: expected a %s', spot, piece.type, wanted)
            || case wanted when 'number' then ' (case when ... then 1 else 0 end makes one of a condition)'
                           else ' (a comparison like x > 3)' end, place);
    end if;
end
$$;

create or replace function scopestream_data.expect_word(tokens scopestream_data.expression_token[], place integer,
                                                        wanted text) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if (tokens[place]).word <> wanted or (tokens[place]).kind not in ('sign', 'keyword') then
        perform scopestream_data.refuse_expression(
            format('expected ''%s'', found %s', wanted, scopestream_data.quoted_token(tokens[place])),
            (tokens[place]).place);
    end if;
end
$$;

create or replace function scopestream_data.expect_arguments(token scopestream_data.expression_token, given integer)
    returns void
    language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    if given not between token.fewest and token.most then
        perform scopestream_data.refuse_expression(
            format('%s takes %s%s, not %s',
                   (select e.usage from scopestream_data.expression_function e where e.name = token.word),
                   case when token.most > token.fewest then token.fewest || ' to ' else '' end,
                   token.most || case token.most when 1 then ' number' else ' numbers' end, given), token.place);
    end if;
end
$$;

create or replace function scopestream_data.quoted_token(token scopestream_data.expression_token) returns text
    language sql immutable set search_path = pg_catalog, pg_temp as $$
    select case when token.kind = 'end' then 'the end' else format('''%s''', left(token.word, 40)) end
$$;

-- Parts stand for long texts in few words.
create or replace function scopestream_data.refuse_length(made text) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if length(made) > 30000 then
        raise exception 'an expression becomes more than 30000 characters of SQL, with its parts written out'
            using errcode = 'invalid_parameter_value';
    end if;
end
$$;

-- How tightly what stands between two pieces binds them; NULL: it binds nothing.
create or replace function scopestream_data.binding(token scopestream_data.expression_token) returns integer
    language sql immutable set search_path = pg_catalog, pg_temp as $$
    select case when token.kind in ('sign', 'keyword') then
        case token.word when 'or' then 1 when 'and' then 2
            when '=' then 4 when '<>' then 4 when '!=' then 4 when '<' then 4 when '<=' then 4 when '>' then 4
            when '>=' then 4 when 'is' then 4 when 'between' then 4 when 'in' then 4 when 'not' then 4
            when '+' then 6 when '-' then 6 when '*' then 7 when '/' then 7 end end
$$;

-- What stands at place, as far as it is bound more tightly than by beyond. deep: how many brackets are open.
create or replace function scopestream_data.parse_expression(tokens scopestream_data.expression_token[],
    place integer, beyond integer, deep integer) returns scopestream_data.expression_piece
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    piece scopestream_data.expression_piece;
    bound integer;
begin
    if deep > 40 then
        perform scopestream_data.refuse_expression('more than 40 brackets, signs and calls are open',
                                                   (tokens[place]).place);
    end if;
    piece := scopestream_data.parse_operand(tokens, place, deep);
    loop
        bound := scopestream_data.binding(tokens[piece.next]);
        exit when bound is null or bound <= beyond;
        piece := case when bound in (1, 2, 6, 7) or (tokens[piece.next]).kind = 'sign'
                      then scopestream_data.parse_operator(tokens, piece, bound, deep)
                      else scopestream_data.parse_test(tokens, piece, deep) end;
        perform scopestream_data.refuse_length(piece.sql);
    end loop;
    return piece;
end
$$;

-- left and what follows it: + - * /, comparisons, and, or.
create or replace function scopestream_data.parse_operator(tokens scopestream_data.expression_token[],
    piece scopestream_data.expression_piece, bound integer, deep integer) returns scopestream_data.expression_piece
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    sign constant text := replace((tokens[piece.next]).word, '!=', '<>');
    place constant integer := (tokens[piece.next]).place;
    wanted constant text := case when bound <= 2 then 'condition' else 'number' end;
    other scopestream_data.expression_piece;
begin
    perform scopestream_data.expect_type(piece, wanted, format('before ''%s''', sign), place);
    other := scopestream_data.parse_expression(tokens, piece.next + 1, bound, deep + 1);
    perform scopestream_data.expect_type(other, wanted, format('after ''%s''', sign), place);
    return row(format(case sign when '/' then '(%s %s nullif(%s, 0::float8))' else '(%s %s %s)' end,
                      piece.sql, sign, other.sql),
               format('%s %s %s', piece.said, sign, other.said),
               case when bound < 6 then 'condition' else 'number' end, other.next);
end
$$;

-- left and one of: is [not] null, [not] between x and y, [not] in (x, ...).
create or replace function scopestream_data.parse_test(tokens scopestream_data.expression_token[],
    piece scopestream_data.expression_piece, deep integer) returns scopestream_data.expression_piece
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    word text := (tokens[piece.next]).word;
    place constant integer := (tokens[piece.next]).place;
    negated boolean := word = 'not';
    other scopestream_data.expression_piece;
begin
    if word = 'is' then
        negated := (tokens[piece.next + 1]).word = 'not';
        perform scopestream_data.expect_word(tokens, piece.next + 1 + negated::integer, 'null');
        word := case when negated then ' is not null' else ' is null' end;
        return row(format('(%s%s)', piece.sql, word), piece.said || word, 'condition'::text,
                   piece.next + 2 + negated::integer);
    end if;
    perform scopestream_data.expect_type(piece, 'number', format('before ''%s''', word), place);
    word := (tokens[piece.next + negated::integer]).word;
    if word = 'between' then
        other := scopestream_data.parse_between(tokens, piece.next + 1 + negated::integer, deep);
    else
        perform scopestream_data.expect_word(tokens, piece.next + negated::integer, 'in');
        other := scopestream_data.parse_list(tokens, piece.next + 1 + negated::integer, deep);
        other.sql := format('(%s)', other.sql);
        other.said := format('(%s)', other.said);
    end if;
    word := case when negated then 'not ' else '' end || word;
    return row(format('(%s %s %s)', piece.sql, word, other.sql), format('%s %s %s', piece.said, word, other.said),
               'condition'::text, other.next);
end
$$;

-- x and y, of between.
create or replace function scopestream_data.parse_between(tokens scopestream_data.expression_token[], place integer,
    deep integer) returns scopestream_data.expression_piece
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    low scopestream_data.expression_piece := scopestream_data.parse_expression(tokens, place, 4, deep + 1);
    high scopestream_data.expression_piece;
begin
    perform scopestream_data.expect_word(tokens, low.next, 'and');
    high := scopestream_data.parse_expression(tokens, low.next + 1, 4, deep + 1);
    perform scopestream_data.expect_type(low, 'number', 'after ''between''', (tokens[place]).place);
    perform scopestream_data.expect_type(high, 'number', 'after ''and''', (tokens[low.next]).place);
    return row(low.sql || ' and ' || high.sql, low.said || ' and ' || high.said, 'number'::text, high.next);
end
$$;

-- (x, y, ...) without the brackets; type holds how many these are.
create or replace function scopestream_data.parse_list(tokens scopestream_data.expression_token[], place integer,
    deep integer) returns scopestream_data.expression_piece
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    pieces scopestream_data.expression_piece[] := '{}';
    piece scopestream_data.expression_piece;
    at integer := place + 1;
begin
    perform scopestream_data.expect_word(tokens, place, '(');
    loop
        piece := scopestream_data.parse_expression(tokens, at, 0, deep + 1);
        perform scopestream_data.expect_type(piece, 'number', 'in a list', (tokens[at]).place);
        pieces := pieces || piece;
        at := piece.next + 1;
        exit when (tokens[piece.next]).word <> ',';
    end loop;
    perform scopestream_data.expect_word(tokens, piece.next, ')');
    return (select row(string_agg(p.sql, ', ' order by n), string_agg(p.said, ', ' order by n), count(*)::text, at)
            from unnest(pieces) with ordinality p(sql, said, type, next, n));
end
$$;

-- One number, name, call, case or bracket, with the signs before it.
create or replace function scopestream_data.parse_operand(tokens scopestream_data.expression_token[], place integer,
    deep integer) returns scopestream_data.expression_piece
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    token constant scopestream_data.expression_token := tokens[place];
    piece scopestream_data.expression_piece;
begin
    if token.kind in ('number', 'measure', 'name', 'part') then
        return row(token.sql, token.said, token.type, place + 1);
    elsif token.kind = 'function' then
        return scopestream_data.parse_call(tokens, place, deep);
    elsif token.kind = 'context' then
        return scopestream_data.parse_context_call(tokens, place, deep);
    elsif token.word = '(' then
        piece := scopestream_data.parse_expression(tokens, place + 1, 0, deep + 1);
        perform scopestream_data.expect_word(tokens, piece.next, ')');
        return row(piece.sql, case when piece.said ~ ' ' then '(' || piece.said || ')' else piece.said end,
                   piece.type, piece.next + 1);
    elsif token.word in ('-', '+') then
        piece := scopestream_data.parse_expression(tokens, place + 1, 8, deep + 1);
        perform scopestream_data.expect_type(piece, 'number', format('after ''%s''', token.word), token.place);
        return row(format('(%s %s)', token.word, piece.sql), token.word || piece.said, 'number'::text, piece.next);
    elsif token.word in ('null', 'true', 'false') then
        return row(token.word || case token.word when 'null' then '::float8' else '' end, token.word,
                   case token.word when 'null' then 'number' else 'condition' end, place + 1);
    elsif token.word = 'not' then
        piece := scopestream_data.parse_expression(tokens, place + 1, 3, deep + 1);
        perform scopestream_data.expect_type(piece, 'condition', 'after ''not''', token.place);
        return row(format('(not %s)', piece.sql), 'not ' || piece.said, 'condition'::text, piece.next);
    elsif token.word = 'case' then
        return scopestream_data.parse_case(tokens, place, deep);
    end if;
    perform scopestream_data.refuse_expression(
        format('expected a number, a measure or a function, found %s', scopestream_data.quoted_token(token)),
        token.place);
end
$$;

create or replace function scopestream_data.parse_call(tokens scopestream_data.expression_token[], place integer,
    deep integer) returns scopestream_data.expression_piece
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    token constant scopestream_data.expression_token := tokens[place];
    arguments text[] := '{}';
    said text[] := '{}';
    piece scopestream_data.expression_piece;
    at integer := place + 2;
    made text := token.sql;
begin
    while (tokens[at]).word <> ')' or arguments <> '{}' loop
        piece := scopestream_data.parse_expression(tokens, at, 0, deep + 1);
        perform scopestream_data.expect_type(piece, 'number', format('in %s()', token.word), (tokens[at]).place);
        arguments := arguments || piece.sql;
        said := said || piece.said;
        at := piece.next;
        exit when (tokens[at]).word <> ',';
        at := at + 1;
    end loop;
    perform scopestream_data.expect_word(tokens, at, ')');
    perform scopestream_data.expect_arguments(token, cardinality(arguments));
    made := replace(made, '$*', array_to_string(arguments, ', '));
    for i in 1 .. least(cardinality(arguments), 9) loop
        made := replace(made, '$' || i, '(' || arguments[i] || ')');
    end loop;
    return row(made, format('%s(%s)', token.word, array_to_string(said, ', ')), 'number'::text, at + 1);
end
$$;

-- A function that looks beyond this frame. Its argument is a feature: what is usual is kept of it.
create or replace function scopestream_data.parse_context_call(tokens scopestream_data.expression_token[],
    place integer, deep integer) returns scopestream_data.expression_piece
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    token constant scopestream_data.expression_token := tokens[place];
    piece scopestream_data.expression_piece;
    feature integer;
begin
    piece := scopestream_data.parse_expression(tokens, place + 2, 0, deep + 1);
    perform scopestream_data.expect_word(tokens, piece.next, ')');
    perform scopestream_data.expect_type(piece, 'number', format('in %s()', token.word), (tokens[place + 2]).place);
    if scopestream_data.expression_needs(piece.sql) <> '{}' or piece.sql !~ '\mv\.' then
        perform scopestream_data.refuse_expression(
            format('%s() takes measures and what is computed of them, not %s', token.word,
                   case when piece.sql ~ '\mv\.' then 'what looks beyond the measures of one frame'
                        else 'something without a measure' end),
            (tokens[place + 2]).place);
    end if;
    feature := scopestream_data.feature_of(piece.said, piece.sql);
    return row('(' || replace(replace(token.sql, '$1', piece.sql), '$i', feature::text) || ')',
               format('%s(%s)', token.word, piece.said), 'number'::text, piece.next + 1);
end
$$;

create or replace function scopestream_data.feature_of(said text, made text) returns integer
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    feature integer := (select feature_id from scopestream_data.feature f where f.expression = said);
begin
    return coalesce(feature, scopestream_data.register_feature(said, made));
end
$$;

-- What follows when, then or else.
create or replace function scopestream_data.parse_branch(tokens scopestream_data.expression_token[], place integer,
    wanted text, deep integer) returns scopestream_data.expression_piece
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    piece scopestream_data.expression_piece := scopestream_data.parse_expression(tokens, place + 1, 0, deep + 1);
begin
    perform scopestream_data.expect_type(piece, wanted, format('after ''%s''', (tokens[place]).word),
                                         (tokens[place]).place);
    return piece;
end
$$;

create or replace function scopestream_data.parse_case(tokens scopestream_data.expression_token[], place integer,
    deep integer) returns scopestream_data.expression_piece
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    made text := '(case';
    said text := 'case';
    piece scopestream_data.expression_piece;
    at integer := place + 1;
begin
    perform scopestream_data.expect_word(tokens, at, 'when');
    while (tokens[at]).word = 'when' loop
        piece := scopestream_data.parse_branch(tokens, at, 'condition', deep);
        perform scopestream_data.expect_word(tokens, piece.next, 'then');
        made := concat_ws(' ', made, 'when', piece.sql);
        said := concat_ws(' ', said, 'when', piece.said);
        piece := scopestream_data.parse_branch(tokens, piece.next, 'number', deep);
        made := concat_ws(' ', made, 'then', piece.sql);
        said := concat_ws(' ', said, 'then', piece.said);
        at := piece.next;
    end loop;
    if (tokens[at]).word = 'else' then
        piece := scopestream_data.parse_branch(tokens, at, 'number', deep);
        made := concat_ws(' ', made, 'else', piece.sql);
        said := concat_ws(' ', said, 'else', piece.said);
        at := piece.next;
    end if;
    perform scopestream_data.expect_word(tokens, at, 'end');
    return row(made || ' end)', said || ' end', 'number'::text, at + 1);
end
$$;

-- An expression from its first to its last character.
create or replace function scopestream_data.parse_whole(expression text, parts jsonb)
    returns scopestream_data.expression_piece
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    tokens scopestream_data.expression_token[];
    piece scopestream_data.expression_piece;
    stranger constant text := substring(expression from '[^ -~\t\r\n]');
begin
    if coalesce(expression !~ '\S', true) then
        raise exception 'an expression is empty' using errcode = 'invalid_parameter_value';
    elsif length(expression) > 4000 then
        raise exception 'an expression has % characters: at most 4000', length(expression)
            using errcode = 'invalid_parameter_value';
    elsif stranger is not null then
        perform scopestream_data.refuse_expression(
            format('character U+%s is none that expressions are written in',
                   lpad(upper(to_hex(ascii(stranger))), 4, '0')),
            position(stranger in expression));
    end if;
    tokens := scopestream_data.read_expression(expression, parts);
    piece := scopestream_data.parse_expression(tokens, 1, 0, 0);
    if (tokens[piece.next]).kind <> 'end' then
        perform scopestream_data.refuse_expression(
            format('expected an operator or the end, found %s', scopestream_data.quoted_token(tokens[piece.next])),
            (tokens[piece.next]).place);
    end if;
    perform scopestream_data.refuse_length(piece.sql);
    return piece;
end
$$;

-- What the SQL of an expression needs beside the row of result.
create or replace function scopestream_data.expression_needs(made text) returns text[]
    language sql immutable set search_path = pg_catalog, pg_temp as $$
    select coalesce(array_agg(need order by need), '{}')
    from (values ('b', 'baseline'), ('f', 'frame'), ('h', 'history'), ('s', 'score'),
                 ('scopestream_data\.same_pixels', 'pixels')) a(alias, need)
    where made ~ ('\m' || alias || '[.(]')
$$;

-- An expression as SQL that gives a number; parts: names it may use, and the expressions these stand for.
-- allowed_context false: over the measures of one frame alone. What it asks baselines for is registered.
create or replace function scopestream_data.compile_expression(expression text, parts jsonb default '{}',
    allowed_context boolean default true) returns scopestream_data.compiled
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    piece scopestream_data.expression_piece;
    needs text[];
begin
    perform scopestream_data.check_parts(parts);
    piece := scopestream_data.parse_whole(expression, scopestream_data.compile_parts(expression, parts));
    needs := scopestream_data.expression_needs(piece.sql);
    if not allowed_context and needs <> '{}' then
        raise exception 'only measures and what is computed of them can stand here, nothing that needs %',
            array_to_string(needs, ', ') using errcode = 'invalid_parameter_value';
    end if;
    return row(
        case piece.type when 'condition' then format('(%s)::integer::float8', piece.sql) else piece.sql end,
        array(select distinct replace(m[1], '"', '') from regexp_matches(piece.sql, '\mv\.("?[a-z][a-z0-9_]*"?)', 'g') m
              order by 1),
        array(select distinct coalesce(m[1], m[2])::integer
              from regexp_matches(piece.sql, '\mb\.[a-z]+(?:\[|, )(\d+)|\mh\."values"(?:\[1\]\[|, )(\d+)', 'g') m
              order by 1),
        array_remove(needs, 'frame'));
end
$$;

create or replace function scopestream_data.check_parts(parts jsonb) returns void
    language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    wrong text;
begin
    if jsonb_typeof(parts) is distinct from 'object' or (select count(*) from jsonb_object_keys(parts)) > 32 then
        raise exception 'parts are an object of at most 32 names, each with its expression'
            using errcode = 'invalid_parameter_value';
    end if;
    select key into wrong from jsonb_each(parts)
    where key !~ '^[a-z][a-z0-9_]{0,62}$' or jsonb_typeof(value) <> 'string'
       or exists (select from scopestream_data.expression_function where name = key);
    if found then
        raise exception 'a part cannot be ''%'': letters a-z, digits and _, no word of the language, and its '
                        'expression as text', left(wrong, 63) using errcode = 'invalid_parameter_value';
    end if;
end
$$;

-- --- evaluating many at once ---

do $$
begin
    if to_regtype('scopestream_data.evaluated') is null then
        create type scopestream_data.evaluated as (
            frame_id uuid, acquired_at timestamptz, pipeline_id integer,
            source text, experiment text, plate text, well text, site integer, channel text, z integer, t integer,
            stored_order bigint,         -- its place among the keys
            "values" double precision[], -- of the expressions, in their order
            origins text[]);             -- what each was compared with; NULL: with nothing
    end if;
end
$$;

-- A number that is none is unknown.
create or replace function scopestream_data.finite_sql(made text) returns text
    language sql immutable set search_path = pg_catalog, pg_temp as $$
    select format('nullif(nullif(nullif(%s, ''NaN''::float8), ''Infinity''::float8), ''-Infinity''::float8)', made)
$$;

-- One statement for all expressions; evaluate() runs it. $1: the keys; $2: places of expressions to leave out;
-- $3, $4: the first and the last time, which are known when the statement is planned, so that no other months
-- are. Each distinct reference is looked up once a frame, and only what some expression needs is joined at all.
create or replace function scopestream_data.evaluation_sql(expressions text[], "references" text[],
    parts jsonb[] default null) returns text
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    compared text[] := '{}'; -- distinct references that are asked
    needs text[] := '{}';
    columns text[] := '{}';
    origins text[] := '{}';
    made scopestream_data.compiled;
    usual text;
begin
    for i in 1 .. cardinality(expressions) loop
        made := scopestream_data.compile_expression(expressions[i], coalesce(parts[i], '{}'));
        usual := null;
        if 'baseline' = any (made.needs) then
            if array_position(compared, "references"[i]) is null then
                compared := compared || "references"[i];
            end if;
            usual := 'b' || array_position(compared, "references"[i]);
        end if;
        columns := columns || format('case when %s <> all ($2) then %s end', i, scopestream_data.finite_sql(
            coalesce(regexp_replace(made.sql, '\mb\.', usual || '.', 'g'), made.sql)));
        origins := origins || coalesce(usual || '.compared_with', 'null');
        needs := needs || made.needs;
    end loop;
    return format($statement$
        select f.frame_id, f.acquired_at, v.pipeline_id, f.source, f.experiment, f.plate, f.well, f.site, f.channel,
               f.z, f.t, k.stored_order, array[%s]::float8[], array[%s]::text[]
        from unnest($1) with ordinality k(frame_id, acquired_at, pipeline_id, stored_order)
        join scopestream_data.result v on v.frame_id = k.frame_id and v.pipeline_id = k.pipeline_id
             and v.acquired_at = k.acquired_at and v.acquired_at between $3 and $4
        join scopestream_data.frame f on f.frame_id = k.frame_id
             and f.acquired_at = k.acquired_at and f.acquired_at between $3 and $4
        %s
        where v.status = 'ok'
        order by k.stored_order $statement$,
        array_to_string(columns, E',\n               '), array_to_string(origins, ', '),
        scopestream_data.evaluation_joins(needs, compared, array_to_string(columns, ' ')));
end
$$;

-- What expressions need beside the rows of result and frame, as joins.
create or replace function scopestream_data.evaluation_joins(needs text[], compared text[], columns text)
    returns text
    language sql stable set search_path = pg_catalog, pg_temp as $$
    select concat_ws(E'\n        ',
        (select string_agg(format('left join lateral scopestream_data.baseline_for(%L, v.pipeline_id, f.source, '
                                  'f.experiment, f.plate, f.channel, f.z, f.acquired_at) b%s on true', reference, n),
                           E'\n        ' order by n)
         from unnest(compared) with ordinality c(reference, n)),
        case when 'history' = any (needs) then 
            format('left join scopestream_data.site_histories($1, %s, %L) h on h.frame_id = k.frame_id '
                   'and h.pipeline_id = k.pipeline_id and h.acquired_at = k.acquired_at',
                   case when columns ~ '\mtrend\(' then 9 else 1 end,
                   array(select asked from unnest('{values,change,change_z}'::text[]) asked
                         where columns ~ ('\mh\."?' || asked || '\M'))) end,
        case when 'score' = any (needs) then
            'left join scopestream_data.priority s on s.frame_id = f.frame_id and s.pipeline_id = v.pipeline_id '
            'and s.acquired_at = f.acquired_at and s.acquired_at between $3 and $4 '
            'and s.model_id = (select m.model_id from scopestream_data.model m where m.is_default)' end)
$$;

-- --- running it ---

-- A few rows found by their keys, however large the tables are or have grown since they were analysed.
create or replace function scopestream_data.run_evaluation(statement text, keys scopestream_data.row_key[],
    without integer[]) returns setof scopestream_data.evaluated
    language plpgsql set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off
    set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
begin
    return query execute statement
    using keys, without, (select min(acquired_at) from unnest(keys)), (select max(acquired_at) from unnest(keys));
end
$$;

-- What the expressions of a statement of evaluation_sql() are worth for these rows. Where arithmetic fails, only
-- the number it was to give is unknown.
create or replace function scopestream_data.evaluate(sql text, keys scopestream_data.row_key[])
    returns setof scopestream_data.evaluated
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    -- All rows are there before the first is handed on: none stays behind from an attempt that fails.
    return query select * from scopestream_data.run_evaluation(sql, keys, '{}');
exception when data_exception then
    return query select * from scopestream_data.evaluate_around_errors(sql, keys);
end
$$;
comment on function scopestream_data.evaluate is 'Evaluates a statement of evaluation_sql() for these rows';

create or replace function scopestream_data.evaluate_around_errors(statement text, keys scopestream_data.row_key[])
    returns setof scopestream_data.evaluated
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    every constant integer[] := array(select generate_series(1, regexp_count(statement, '<> all \(\$2\)')));
    failing constant integer[] := scopestream_data.failing_expressions(statement, keys, every, every);
    answers scopestream_data.evaluated[] := '{}';
    answer record;
    expression integer;
begin
    for answer in select * from scopestream_data.run_evaluation(statement, keys, failing) loop
        answers[answer.stored_order] := answer;
    end loop;
    foreach expression in array failing loop
        for answer in
            select * from scopestream_data.lone_values(statement, keys, array_remove(every, expression), 0)
        loop
            answers[answer.stored_order]."values"[expression] := answer."values"[expression];
        end loop;
    end loop;
    return query select a.* from unnest(answers) a where a.frame_id is not null;
end
$$;

-- Those of the suspects that fail for some row: by halves, as most do not.
create or replace function scopestream_data.failing_expressions(statement text, keys scopestream_data.row_key[],
    every integer[], suspects integer[]) returns integer[]
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    half constant integer := cardinality(suspects) / 2;
begin
    perform from scopestream_data.run_evaluation(statement, keys,
        array(select e from unnest(every) e where e <> all (suspects)));
    return '{}';
exception when data_exception then
    if half = 0 then
        return suspects;
    end if;
    return scopestream_data.failing_expressions(statement, keys, every, suspects[:half])
        || scopestream_data.failing_expressions(statement, keys, every, suspects[half + 1:]);
end
$$;

-- The rows for which all but the expressions left out can be computed, again by halves. before: how many keys
-- stand before these.
create or replace function scopestream_data.lone_values(statement text, keys scopestream_data.row_key[],
    without integer[], before integer) returns setof scopestream_data.evaluated
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    half constant integer := cardinality(keys) / 2;
    answer scopestream_data.evaluated;
begin
    for answer in select * from scopestream_data.run_evaluation(statement, keys, without) loop
        answer.stored_order := answer.stored_order + before;
        return next answer;
    end loop;
exception when data_exception then
    if half > 0 then
        return query select * from scopestream_data.lone_values(statement, keys[:half], without, before);
        return query select * from scopestream_data.lone_values(statement, keys[half + 1:], without, before + half);
    end if;
end
$$;

-- --- programs ---

-- Statements that are built once and used for every batch, until something they are built of changes.
create table if not exists scopestream_data.steering_program (
    what text primary key,
    sql text not null,
    made_at timestamptz not null default clock_timestamp()
);

-- The statement called what; where there is none, maker() returns it. Whoever changes what statements are built of
-- holds the same lock until that is committed: no statement of before can be kept after it.
create or replace function scopestream_data.program(what text, maker regproc) returns text
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    made text := (select p.sql from scopestream_data.steering_program p where p.what = program.what);
begin
    if made is null then
        perform pg_advisory_xact_lock(hashtext('scopestream programs'));
        execute format('select %s()', maker) into made;
        insert into scopestream_data.steering_program as p (what, sql) values (program.what, made)
        on conflict on constraint steering_program_pkey do update set sql = excluded.sql, made_at = clock_timestamp();
    end if;
    return made;
end
$$;
comment on function scopestream_data.program is 'A statement that is built anew after something it is built of changed';

create or replace function scopestream_data.forget_programs() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform pg_advisory_xact_lock(hashtext('scopestream programs'));
    delete from scopestream_data.steering_program;
    return null;
end
$$;
create or replace trigger forget_programs after insert or update or delete on scopestream_data.model
    for each statement execute function scopestream_data.forget_programs();
create or replace trigger forget_programs after insert or update or delete on scopestream_data.rule
    for each statement execute function scopestream_data.forget_programs();
create or replace trigger forget_programs after insert or update or delete on scopestream_data.measure
    for each statement execute function scopestream_data.forget_programs();
create or replace trigger forget_programs after update or delete on scopestream_data.feature
    for each statement execute function scopestream_data.forget_programs();

-- --- for people ---

create or replace view scopestream.expression_words as
    select name as word, case kind when 'context' then 'function over other frames' else kind end as kind,
           usage, sentence
    from scopestream_data.expression_function
    union all
    select m.name, 'measure', m.name, coalesce(nullif(m.formula, ''), 'formula not told')
    from scopestream_data.measure m
    where m.kind = 'number' and not exists (select from scopestream_data.expression_function e
                                            where e.name = m.name and e.kind in ('name', 'keyword'));
comment on view scopestream.expression_words is 'Every word a model or a rule can be written with';
comment on column scopestream.expression_words.word is 'as it is written, in small letters';
comment on column scopestream.expression_words.kind is 'function, function over other frames, name, keyword, measure';
comment on column scopestream.expression_words.usage is 'how it is written';
comment on column scopestream.expression_words.sentence is 'what it is';

revoke execute on function scopestream_data.power_or_unknown, scopestream_data.trend,
    scopestream_data.refuse_expression, scopestream_data.letters_between, scopestream_data.nearest_word,
    scopestream_data.number_literal, scopestream_data.refuse_word, scopestream_data.expression_tokens,
    scopestream_data.read_expression, scopestream_data.mentioned_parts, scopestream_data.compile_parts,
    scopestream_data.compile_part, scopestream_data.expect_type,
    scopestream_data.expect_word, scopestream_data.expect_arguments, scopestream_data.quoted_token,
    scopestream_data.refuse_length, scopestream_data.binding,
    scopestream_data.parse_expression, scopestream_data.parse_operator, scopestream_data.parse_test,
    scopestream_data.parse_between, scopestream_data.parse_list, scopestream_data.parse_operand,
    scopestream_data.parse_call, scopestream_data.parse_context_call, scopestream_data.feature_of,
    scopestream_data.parse_branch, scopestream_data.parse_case, scopestream_data.parse_whole,
    scopestream_data.expression_needs, scopestream_data.compile_expression, scopestream_data.check_parts,
    scopestream_data.finite_sql, scopestream_data.evaluation_sql, scopestream_data.evaluation_joins,
    scopestream_data.run_evaluation, scopestream_data.evaluate, scopestream_data.evaluate_around_errors,
    scopestream_data.failing_expressions, scopestream_data.lone_values, scopestream_data.program,
    scopestream_data.forget_programs from public;

insert into scopestream_data.schema_migration (version, name, sha256) values (11, '011_expressions.sql', '')
on conflict (version) do nothing;

reset role;
